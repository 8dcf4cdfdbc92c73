using System.Diagnostics;
using System.Text.Json;
using Xunit;

namespace Varve.Tests.Cli;

/// <summary><c>put</c> and <c>delete</c>: one entry each, behind the last applied one.</summary>
public sealed class WriteCommandsTests : IDisposable
{
    private readonly Tool _tool = new();

    public WriteCommandsTests() => LsmStateMachine.Open(Data).Dispose();

    private string Data => _tool.PathOf("data");

    public void Dispose() => _tool.Dispose();

    [Fact]
    public async Task PutAppliesNextEntry()
    {
        await SucceedAsync("put", "a", "one", "--yes", "--data", Data);
        var second = await SucceedAsync("put", "hex:ff", "hex:00ff", "--yes", "--json", "--data", Data);
        using (var json = JsonDocument.Parse(second.Output))
        {
            Assert.Equal(2, json.RootElement.GetProperty("index").GetInt64());
            Assert.Equal(1, json.RootElement.GetProperty("term").GetInt64());
        }

        Assert.Equal("a\tone\n\\xff\t\\x00\\xff\n", (await SucceedAsync("scan", "--data", Data)).Output);
    }

    [Theory]
    [InlineData("put", "a", "one", "--yes")]
    [InlineData("delete", "a", "--yes")]
    [InlineData("import", "lines.json", "--append")]
    public async Task DatabaseOfGroupNeedsForce(params string[] command)
    {
        await File.WriteAllTextAsync(_tool.PathOf("lines.json"), "{\"key\":\"a\",\"value\":\"one\"}\n");
        using (var engine = LsmStateMachine.Open(Data))
            engine.ApplyChunk(
                [new ApplyEntry(1, 1, Command.Insert("a", "zero"))], new ApplyResult[1], [0xAB, 0x01]);
        string[] whole = [.. command, "--data", Data];
        var refused = await _tool.RunAsync(whole);
        Assert.Equal((1, ""), (refused.ExitCode, refused.Output));
        Assert.Contains("mark is ab01", Assert.Single(refused.ErrorLines), StringComparison.Ordinal);
        var stat = await SucceedAsync("stat", "--json", "--data", Data);
        using var json = JsonDocument.Parse(stat.Output);
        Assert.Equal("ab01", json.RootElement.GetProperty("mark").GetString());
        Assert.Equal(1, json.RootElement.GetProperty("last_applied").GetProperty("index").GetInt64());
        Assert.Equal(0, (await _tool.RunAsync([.. whole, "--force"])).ExitCode);
        using var written = LsmStateMachine.Open(Data, new EngineOptions { ReadOnly = true });
        Assert.Equal(2u, written.LastApplied.Index);
    }

    [Fact]
    public async Task PutContinuesTermOfLog()
    {
        using (var engine = LsmStateMachine.Open(Data)) engine.PersistLastApplied(new LogId(41, 7));
        Assert.Equal(
            "applied: index 42, term 7\n", (await SucceedAsync("put", "a", "one", "-y", "--data", Data)).Output);
    }

    [Fact]
    public async Task PutTakesFilesAndStandardInputByteForByte()
    {
        byte[] value = [0, 1, 0xFF, 10, 13];
        await File.WriteAllBytesAsync(_tool.PathOf("value"), value);
        await SucceedAsync("put", "file", "--file", _tool.PathOf("value"), "--yes", "--data", Data);
        var piped = _tool.Start(
            "bash",
            ["-c", "\"$@\" < value", "bash", "dotnet", .. Tool.Command("put", "piped", "-", "--yes", "--data", Data)]);
        Assert.Equal(0, (await Tool.ResultAsync(piped)).ExitCode);
        using var engine = LsmStateMachine.Open(Data, new EngineOptions { ReadOnly = true });
        Assert.Equal(value, engine.Get("file"u8));
        Assert.Equal(value, engine.Get("piped"u8));
    }

    [Fact]
    public async Task LeaseOfPutExpires()
    {
        await SucceedAsync("put", "a", "one", "--ttl", "1000", "--yes", "--data", Data);
        Assert.Equal("one", (await SucceedAsync("get", "a", "--data", Data)).Output);
        var later = new Microsoft.Extensions.Time.Testing.FakeTimeProvider(TimeProvider.System.GetUtcNow());
        later.Advance(TimeSpan.FromSeconds(1001));
        using var engine = LsmStateMachine.Open(Data, new EngineOptions { ReadOnly = true, TimeProvider = later });
        Assert.Null(engine.Get("a"u8));
    }

    [Fact]
    public async Task DeleteRemovesKeyAndDoesNotFindItAgain()
    {
        await SucceedAsync("put", "a", "one", "--yes", "--data", Data);
        Assert.Equal(
            "applied: index 2, term 1\n", (await SucceedAsync("delete", "a", "--yes", "--data", Data)).Output);
        var again = await _tool.RunAsync("delete", "a", "--yes", "--data", Data);
        Assert.Equal((6, "varve: not found"), (again.ExitCode, Assert.Single(again.ErrorLines)));
        using var engine = LsmStateMachine.Open(Data, new EngineOptions { ReadOnly = true });
        Assert.Equal(2UL, engine.LastApplied.Index);
    }

    [Fact]
    public async Task WriteBesideOwnerIsRefused()
    {
        using var owner = LsmStateMachine.Open(Data);
        owner.ApplyChunk(
            [new ApplyEntry(1, 1, Command.Insert("a"u8.ToArray(), "one"u8.ToArray()))], new ApplyResult[1]);
        foreach (var arguments in (string[][])[["put", "a", "two"], ["delete", "a"]])
        {
            var result = await _tool.RunAsync([.. arguments, "--yes", "--data", Data]);
            Assert.Equal(3, result.ExitCode);
            Assert.Contains("already open", Assert.Single(result.ErrorLines));
        }

        Assert.Equal("one"u8.ToArray(), owner.Get("a"u8));
        Assert.Equal(1UL, owner.LastApplied.Index);
    }

    [Theory]
    [InlineData("put", "a")]
    [InlineData("put", "a", "one", "--file", "f")]
    [InlineData("put", "", "one")]
    [InlineData("put", "a", "hex:0")]
    [InlineData("put", "a", "one", "--ttl", "-1")]
    [InlineData("delete", "")]
    public async Task BadWriteIsUsageErrorAndChangesNothing(params string[] arguments) =>
        await RefusedAsync([.. arguments, "--yes", "--data", Data]);

    [Theory]
    [InlineData("put", "a", "one")]
    [InlineData("put", "a", "-")]
    [InlineData("delete", "a")]
    public async Task WriteWithoutTerminalNeedsYes(params string[] arguments) =>
        Assert.Contains("--yes", await RefusedAsync([.. arguments, "--data", Data]));

    [Fact]
    public async Task TerminalIsAskedAndNoChangesNothing()
    {
        foreach (var (answer, code, index) in ((string, int, ulong)[])[("n", 1, 0), ("y", 0, 1)])
        {
            var result = await Tool.ResultAsync(OnTerminal(answer, "put", "a", "one", "--data", Data));
            Assert.Contains("entry 1", result.Output);
            Assert.Equal(code, result.ExitCode);
            using var engine = LsmStateMachine.Open(Data, new EngineOptions { ReadOnly = true });
            Assert.Equal(index, engine.LastApplied.Index);
        }
    }

    // script(1) runs the tool on a terminal of its own, which gets the answer as typed.
    private Process OnTerminal(string answer, params string[] arguments)
    {
        var line = string.Join(' ', Tool.Command(arguments).Prepend("dotnet").Select(word => $"'{word}'"));
        return _tool.Start("bash", "-c", $"echo {answer} | TERM=xterm script -qec \"{line}\" /dev/null");
    }

    private async Task<string> RefusedAsync(params string[] arguments)
    {
        var result = await _tool.RunAsync(arguments);
        Assert.True(result.ExitCode == 1, $"exit code {result.ExitCode}: {result.Error}");
        using var engine = LsmStateMachine.Open(Data, new EngineOptions { ReadOnly = true });
        Assert.Equal(0UL, engine.LastApplied.Index);
        return Assert.Single(result.ErrorLines);
    }

    private async Task<ToolResult> SucceedAsync(params string[] arguments)
    {
        var result = await _tool.RunAsync(arguments);
        Assert.True(result.ExitCode == 0, result.Error);
        return result;
    }
}
