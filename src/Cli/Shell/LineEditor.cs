namespace Varve.Cli.Shell;

/// <summary>
/// Reads lines from a terminal, with the usual keys, history and completion. No library that does this is both kept up
/// and free of a console framework of its own, so it is written here: a line is redrawn whole after each key, and the
/// terminal finds the caret's column by printing the text before it, whatever its characters' widths.
/// </summary>
/// <param name="prompt">Printed before each line.</param>
/// <param name="history">The lines of earlier prompts.</param>
/// <param name="readKey">Waits for a key.</param>
/// <param name="output">The terminal.</param>
/// <param name="width">The terminal's columns.</param>
/// <param name="complete">The words that may stand where the line ends.</param>
internal sealed class LineEditor(
    string prompt, LineHistory history, Func<ConsoleKeyInfo> readKey, TextWriter output, Func<int> width,
    Func<string, IReadOnlyList<string>> complete)
{
    private readonly LineBuffer _line = new();

    /// <summary>Reads a line; null at its end by Ctrl-D.</summary>
    public string? ReadLine()
    {
        _line.Set("");
        while (true)
        {
            Draw();
            var key = readKey();
            var isControl = key.Modifiers.HasFlag(ConsoleModifiers.Control);
            switch (key.Key)
            {
                case ConsoleKey.Enter:
                    output.WriteLine();
                    history.Add(_line.Text.Trim());
                    return _line.Text;
                case ConsoleKey.D when isControl && _line.Text.Length == 0:
                    output.WriteLine();
                    return null;
                case ConsoleKey.C when isControl:
                    output.WriteLine("^C");
                    _line.Set("");
                    break;
                case ConsoleKey.L when isControl:
                    output.Write("\x1b[2J\x1b[H");
                    break;
                case ConsoleKey.UpArrow:
                    _line.Set(history.Previous(_line.Text));
                    break;
                case ConsoleKey.DownArrow:
                    _line.Set(history.Next(_line.Text));
                    break;
                case ConsoleKey.Tab:
                    Complete();
                    break;
                default:
                    _line.Apply(key);
                    break;
            }
        }
    }

    private void Complete()
    {
        var before = _line.BeforeCaret;
        var word = before[(before.LastIndexOf(' ') + 1)..];
        var words = complete(before).Where(each => each.StartsWith(word, StringComparison.Ordinal)).ToList();
        if (words.Count == 0) return;
        var common = words.Aggregate(CommonStart);
        _line.Insert(common[word.Length..] + (words.Count == 1 ? " " : ""));
        if (words.Count == 1 || common.Length > word.Length) return;
        output.WriteLine();
        output.WriteLine(string.Join("  ", words));
    }

    private static string CommonStart(string a, string b) => a[..a.AsSpan().CommonPrefixLength(b)];

    /// <summary>Shows the part of the line around the caret that one row has room for.</summary>
    private void Draw()
    {
        var room = Math.Max(8, width() - prompt.Length - 1);
        var text = _line.Text;
        var from = Math.Max(0, _line.Caret - room);
        var shown = text.Substring(from, Math.Min(room, text.Length - from));
        output.Write($"\r{prompt}{shown}\x1b[K\r{prompt}{text[from.._line.Caret]}");
        output.Flush();
    }
}
