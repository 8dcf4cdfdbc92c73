using Xunit;

namespace Varve.Tests.Cli;

/// <summary><c>shell</c> runs the tool's commands on one database.</summary>
public sealed class ShellTests : IDisposable
{
    private readonly Tool _tool = new();

    public ShellTests()
    {
        using var engine = LsmStateMachine.Open(Data);
        Span<ApplyResult> results = [default];
        engine.ApplyChunk([new ApplyEntry(1, 1, Command.Insert("greeting", "hello there"))], results);
    }

    private string Data => _tool.PathOf("data");

    public void Dispose() => _tool.Dispose();

    [Fact]
    public async Task LinesOfStandardInputAreCommands()
    {
        var result = await ShellAsync("get greeting\n\n# a remark\nscan gree --limit 1\nverify --quick\n");
        Assert.Equal("", result.Error);
        Assert.Equal(0, result.ExitCode);
        Assert.StartsWith("hello there\ngreeting\thello there\n", result.Output, StringComparison.Ordinal);
        Assert.Contains("ok  database", result.Output, StringComparison.Ordinal); // verify took the shell's database
    }

    [Fact]
    public async Task QuotedTextIsOneWord()
    {
        var result = await ShellAsync("put \"a key\" \"a value\" --yes\nget \"a key\"\n", "--write");
        Assert.Equal("", result.Error);
        Assert.EndsWith("a value\n", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ScriptEndsAtItsFirstFailure()
    {
        var result = await ShellAsync("get missing\nget greeting\n");
        Assert.Equal(6, result.ExitCode);
        Assert.DoesNotContain("hello", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ExitEndsScript()
    {
        var result = await ShellAsync("exit\nget missing\n");
        Assert.Equal((0, ""), (result.ExitCode, result.Output));
    }

    [Theory]
    [InlineData("put greeting other --yes")]
    [InlineData("delete greeting --yes")]
    [InlineData("compact")]
    [InlineData("import lines.json")]
    [InlineData("snapshot install somewhere")]
    public async Task WritingCommandsNeedOption(string line)
    {
        var result = await ShellAsync(line + "\n");
        Assert.Equal(1, result.ExitCode);
        Assert.Contains("--write", Assert.Single(result.ErrorLines), StringComparison.Ordinal);
        Assert.Equal("hello there", (await _tool.RunAsync("get", "greeting", "--data", Data)).Output);
    }

    [Theory]
    [InlineData("shell --data x")]
    [InlineData("demo")]
    [InlineData("nonsense")]
    public async Task OtherWordsAreRefused(string line)
    {
        var result = await ShellAsync(line + "\n", "--write");
        Assert.Equal(1, result.ExitCode);
        Assert.Contains("no command of the shell", Assert.Single(result.ErrorLines), StringComparison.Ordinal);
    }

    [Fact]
    public async Task HelpListsCommands()
    {
        var result = await ShellAsync("help\nget --help\n");
        Assert.Equal(0, result.ExitCode);
        Assert.Contains("Prints live entries", result.Output, StringComparison.Ordinal);
        Assert.Contains("<KEY>", result.Output, StringComparison.Ordinal);
    }

    private Task<ToolResult> ShellAsync(string input, params string[] more) =>
        _tool.RunAsync(input, ["shell", "--data", Data, .. more]);
}
