using System.Text.Json;
using Xunit;

namespace Varve.Tests.Cli;

/// <summary><c>stat --watch</c> follows a writer.</summary>
public sealed class StatWatchTests : IDisposable
{
    private readonly Tool _tool = new();

    private string Data => _tool.PathOf("data");

    public void Dispose() => _tool.Dispose();

    [Fact]
    public async Task PipedWatchPrintsLineForEachLook()
    {
        LsmStateMachine.Open(Data).Dispose();
        var result = await _tool.RunAsync("stat", "--watch", "--interval", "0.01", "--count", "3", "--data", Data);
        Assert.True(result.ExitCode == 0, result.Error);
        var lines = result.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(3, lines.Length);
        Assert.All(lines, line => Assert.Matches(@"^\d+\.\d s  index 0  durable 0  keys 0  0 entries/s  ", line));
    }

    [Fact]
    public async Task WatchFollowsWriter()
    {
        using var owner = LsmStateMachine.Open(Data);
        using var watch = _tool.Start(
            "dotnet", Tool.Command("stat", "--watch", "--json", "--interval", "0.01", "--data", Data));
        var seen = await LineAsync(line => line.GetProperty("count").GetInt64() == 0);
        Assert.Equal(0, seen.GetProperty("entries_per_second").GetDouble());
        owner.ApplyChunk([new ApplyEntry(1, 1, Command.Insert("a"u8.ToArray(), default))], new ApplyResult[1]);
        seen = await LineAsync(line => line.GetProperty("last_applied").GetProperty("index").GetInt64() == 1);
        Assert.True(seen.GetProperty("entries_per_second").GetDouble() > 0);
        Assert.Equal(1, seen.GetProperty("count").GetInt64());
        watch.Kill();
        await watch.WaitForExitAsync();

        async Task<JsonElement> LineAsync(Func<JsonElement, bool> isWanted)
        {
            while (await watch.StandardOutput.ReadLineAsync() is { } line)
            {
                using var json = JsonDocument.Parse(line);
                if (isWanted(json.RootElement)) return json.RootElement.Clone();
            }

            throw new InvalidOperationException(await watch.StandardError.ReadToEndAsync());
        }
    }

    [Fact]
    public async Task TerminalIsRedrawnUntilQ()
    {
        LsmStateMachine.Open(Data).Dispose();
        var line = string.Join(
            ' ', Tool.Command("stat", "--watch", "--interval", "0.01", "--data", Data).Prepend("dotnet"));
        var result = await Tool.ResultAsync(
            _tool.Start("bash", "-c", $"(echo; yes q | head -n 9) | TERM=xterm script -qec \"{line}\" /dev/null"));
        Assert.Equal(0, result.ExitCode);
        Assert.Contains("last applied", result.Output);
        Assert.Contains("q ends", result.Output);
    }

    [Theory]
    [InlineData("--interval", "0")]
    [InlineData("--interval", "nan")]
    [InlineData("--count", "0")]
    public async Task BadPaceIsUsageError(params string[] arguments)
    {
        LsmStateMachine.Open(Data).Dispose();
        var result = await _tool.RunAsync(["stat", "--watch", "--data", Data, .. arguments]);
        Assert.Equal(1, result.ExitCode);
        Assert.Single(result.ErrorLines);
    }
}
