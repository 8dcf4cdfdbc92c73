using System.Text;

namespace Varve.Cli.Shell;

/// <summary>A line that is being typed, and the caret in it. The caret never stands within a surrogate pair.</summary>
internal sealed class LineBuffer
{
    private readonly StringBuilder _text = new();

    /// <summary>The caret's place: the number of UTF-16 units before it.</summary>
    public int Caret { get; private set; }

    public string Text => _text.ToString();

    public string BeforeCaret => _text.ToString(0, Caret);

    /// <summary>Replaces the line; the caret stands at its end.</summary>
    public void Set(string text)
    {
        _text.Clear().Append(text);
        Caret = _text.Length;
    }

    public void Insert(string text)
    {
        _text.Insert(Caret, text);
        Caret += text.Length;
    }

    /// <summary>Applies a key of the usual line editing; returns false if the key is none.</summary>
    public bool Apply(ConsoleKeyInfo key)
    {
        var isControl = key.Modifiers.HasFlag(ConsoleModifiers.Control);
        switch (key.Key)
        {
            case ConsoleKey.LeftArrow: Caret = isControl ? WordBefore() : Before(); return true;
            case ConsoleKey.RightArrow: Caret = isControl ? WordAfter() : After(); return true;
            case ConsoleKey.Home or ConsoleKey.A when key.Key == ConsoleKey.Home || isControl: Caret = 0; return true;
            case ConsoleKey.End or ConsoleKey.E when key.Key == ConsoleKey.End || isControl:
                Caret = _text.Length;
                return true;
            case ConsoleKey.Backspace: Cut(Before(), Caret); return true;
            case ConsoleKey.Delete: Cut(Caret, After()); return true;
            case ConsoleKey.D when isControl: Cut(Caret, After()); return true;
            case ConsoleKey.W when isControl: Cut(WordBefore(), Caret); return true;
            case ConsoleKey.U when isControl: Cut(0, Caret); return true;
            case ConsoleKey.K when isControl: Cut(Caret, _text.Length); return true;
        }

        if (isControl || char.IsControl(key.KeyChar)) return false;
        Insert(key.KeyChar.ToString());
        return true;
    }

    private void Cut(int from, int to)
    {
        _text.Remove(from, to - from);
        Caret = from;
    }

    private int Before() =>
        Caret == 0 ? 0 : Caret - (Caret > 1 && char.IsSurrogatePair(_text[Caret - 2], _text[Caret - 1]) ? 2 : 1);

    private int After() => Caret == _text.Length
        ? Caret
        : Caret + (Caret + 1 < _text.Length && char.IsSurrogatePair(_text[Caret], _text[Caret + 1]) ? 2 : 1);

    private int WordBefore()
    {
        var at = Caret;
        while (at > 0 && _text[at - 1] == ' ') at--;
        while (at > 0 && _text[at - 1] != ' ') at--;
        return at;
    }

    private int WordAfter()
    {
        var at = Caret;
        while (at < _text.Length && _text[at] == ' ') at++;
        while (at < _text.Length && _text[at] != ' ') at++;
        return at;
    }
}
