using System.Text;

namespace Varve.Tests.Tidy;

/// <summary>A text file of the tree; for C#, also without its comments and literals.</summary>
/// <param name="Path">From the root of the tree, with forward slashes.</param>
/// <param name="Text">All of it.</param>
internal sealed record SourceFile(string Path, string Text)
{
    private string? _code;

    public string Code => _code ??= Strip(Text);

    public int LineCount => Text.AsSpan().Count('\n');

    /// <summary>
    /// "path:line" of a place in <see cref="Text"/> or <see cref="Code"/>: stripping keeps every line where it was.
    /// </summary>
    public string Place(int index) => $"{Path}:{Text.AsSpan(0, index).Count('\n') + 1}";

    /// <summary>
    /// Blanks comments, strings and character literals, so that what remains is what the compiler acts on. Holes of
    /// interpolated strings go too.
    /// </summary>
    private static string Strip(string text)
    {
        var result = new StringBuilder(text.Length);
        for (var at = 0; at < text.Length;)
        {
            var end = EndOfLiteral(text, at);
            if (end == at)
            {
                result.Append(text[at++]);
                continue;
            }

            for (; at < end; at++) result.Append(text[at] == '\n' ? '\n' : ' ');
        }

        return result.ToString();
    }

    /// <summary>The end of the comment or literal that begins here; the place itself if none begins.</summary>
    private static int EndOfLiteral(string text, int at)
    {
        var rest = text.AsSpan(at);
        if (rest.StartsWith("//")) return After(text, "\n", at + 2) is var line && line < text.Length ? line - 1 : line;
        if (rest.StartsWith("/*")) return After(text, "*/", at + 2);
        if (rest.StartsWith("\"\"\""))
        {
            var quotes = rest.IndexOfAnyExcept('"');
            return quotes < 0 ? text.Length : After(text, new string('"', quotes), at + quotes);
        }

        if (rest.StartsWith("@\"") || rest.StartsWith("@$\"") || rest.StartsWith("$@\""))
            return EndOfVerbatim(text, text.IndexOf('"', at) + 1);
        if (text[at] is not ('"' or '\'')) return at;
        for (var i = at + 1; i < text.Length; i++)
        {
            if (text[i] == '\\') i++;
            else if (text[i] == text[at] || text[i] == '\n') return i + 1;
        }

        return text.Length;
    }

    private static int EndOfVerbatim(string text, int at)
    {
        for (; at < text.Length; at++)
        {
            if (text[at] != '"') continue;
            if (at + 1 < text.Length && text[at + 1] == '"') at++;
            else return at + 1;
        }

        return text.Length;
    }

    private static int After(string text, string mark, int from)
    {
        var found = text.IndexOf(mark, Math.Min(from, text.Length), StringComparison.Ordinal);
        return found < 0 ? text.Length : found + mark.Length;
    }
}
