using Varve.Cli.Shell;
using Xunit;

namespace Varve.Tests.Cli;

/// <summary>The prompt edits a line by the usual keys.</summary>
public sealed class LineEditorTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("varve-history-").FullName;

    private string HistoryPath => Path.Combine(_folder, "history");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("get a{Enter}", "get a")]
    [InlineData("gt{Left}e{Enter}", "get")]
    [InlineData("et{Home}g{End} x{Enter}", "get x")]
    [InlineData("et{^A}g{^E} x{Enter}", "get x")]
    [InlineData("getx{Backspace} k{Enter}", "get k")]
    [InlineData("xget{Home}{Delete}{Enter}", "get")]
    [InlineData("get one two{^W}{Enter}", "get one ")]
    [InlineData("get one{^U}scan{Enter}", "scan")]
    [InlineData("get one{Left}{Left}{^K}{Enter}", "get o")]
    [InlineData("wrong{^C}right{Enter}", "right")]
    [InlineData("get 😀{Backspace}x{Enter}", "get x")]
    [InlineData("get 😀{Left}x{Enter}", "get x😀")]
    [InlineData("{Backspace}{Left}{Delete}a{Right}{Right}{Enter}", "a")]
    public void KeysEditLine(string keys, string line) => Assert.Equal(line, Read(new LineHistory(null), keys));

    [Fact]
    public void ControlDEndsOnEmptyLineOnly()
    {
        Assert.Null(Read(new LineHistory(null), "{^D}"));
        Assert.Equal("b", Read(new LineHistory(null), "ab{Home}{^D}{Enter}"));
    }

    [Fact]
    public void ArrowsWalkThroughEarlierLines()
    {
        var history = new LineHistory(null);
        Read(history, "one{Enter}");
        Read(history, "two{Enter}");
        Read(history, "two{Enter}"); // not kept twice
        Assert.Equal("one", Read(history, "{Up}{Up}{Up}{Enter}"));
        Assert.Equal("typed", Read(history, "typed{Up}{Up}{Down}{Down}{Down}{Enter}"));
        Assert.Equal("two!", Read(history, "{Up}{Up}{Up}!{Enter}"));
    }

    [Fact]
    public void HistoryOutlivesShell()
    {
        var history = new LineHistory(HistoryPath);
        Read(history, "get a{Enter}");
        history.Save();
        Assert.Equal("get a", Read(new LineHistory(HistoryPath), "{Up}{Enter}"));
        if (!OperatingSystem.IsWindows())
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(HistoryPath));
    }

    [Fact]
    public void UnwritableHistoryIsNoFailure()
    {
        var history = new LineHistory(_folder); // a directory
        Read(history, "get a{Enter}");
        history.Save();
        Assert.Equal("get a", Read(history, "{Up}{Enter}"));
    }

    [Fact]
    public void TabCompletesToCommonStart()
    {
        Assert.Equal("snapshot ", Read(new LineHistory(null), "sn{Tab}{Enter}"));
        Assert.Equal("s", Read(new LineHistory(null), "s{Tab}{Enter}"));
        Assert.Equal("x", Read(new LineHistory(null), "x{Tab}{Enter}"));
    }

    [Fact]
    public void TerminalShowsPartAroundCaret()
    {
        using var output = new StringWriter();
        Read(new LineHistory(null), new string('a', 100) + "b{Enter}", output);
        var last = output.ToString().Split('\r')[^2]; // the last drawing: the line, then the text before the caret
        Assert.InRange(last.Length, 1, 40);
        Assert.Contains("b\x1b[K", last, StringComparison.Ordinal);
    }

    private static string? Read(LineHistory history, string keys, TextWriter? output = null)
    {
        var typed = Keys(keys).GetEnumerator();
        var editor = new LineEditor(
            "> ", history, () => typed.MoveNext() ? typed.Current : throw new InvalidOperationException("no key left"),
            output ?? TextWriter.Null, () => 30, _ => ["scan", "size", "snapshot"]);
        return editor.ReadLine();
    }

    // "{Name}" is a key by its name, "{^X}" one with Control; anything else types itself.
    private static IEnumerable<ConsoleKeyInfo> Keys(string text)
    {
        for (var at = 0; at < text.Length; at++)
        {
            if (text[at] != '{')
            {
                yield return new ConsoleKeyInfo(text[at], 0, shift: false, alt: false, control: false);
                continue;
            }

            var name = text[(at + 1)..text.IndexOf('}', at)];
            at += name.Length + 1;
            var isControl = name[0] == '^';
            yield return new ConsoleKeyInfo('\0', KeyOf(name), shift: false, alt: false, control: isControl);
        }
    }

    private static ConsoleKey KeyOf(string name) => name switch
    {
        "Left" => ConsoleKey.LeftArrow,
        "Right" => ConsoleKey.RightArrow,
        "Up" => ConsoleKey.UpArrow,
        "Down" => ConsoleKey.DownArrow,
        _ => Enum.Parse<ConsoleKey>(name.TrimStart('^')),
    };
}
