using Xunit;

namespace Varve.Tests.Cli;

/// <summary>
/// The tool takes the lease clock of the database that it is given; the option is for one that it makes.
/// </summary>
public sealed class LeaseClockTests : IDisposable
{
    private readonly Tool _tool = new();

    private string Data => _tool.PathOf("data");

    public void Dispose() => _tool.Dispose();

    [Fact]
    public async Task CompactionOfLogClockDatabaseKeepsLiveLeases()
    {
        Make();
        await SucceedAsync("compact", "--data", Data);
        Assert.Equal("v", (await SucceedAsync("get", "k", "--data", Data)).Output);
    }

    [Fact]
    public async Task InstallIntoNewDatabaseAdoptsSnapshotClock()
    {
        Make();
        var (snapshot, other) = (_tool.PathOf("snapshot"), _tool.PathOf("other"));
        await SucceedAsync("snapshot", "create", "--data", Data, "--out", snapshot);
        await SucceedAsync("snapshot", "install", snapshot, "--data", other);
        Assert.Equal("v", (await SucceedAsync("get", "k", "--data", other)).Output);
        using var engine = LsmStateMachine.Open(other, new EngineOptions { LeaseClock = LeaseClock.Log });
        Assert.Equal(1, engine.Count);
    }

    [Fact]
    public async Task OtherClockIsRefusedByBothNames()
    {
        Make();
        var refused = await _tool.RunAsync("compact", "--data", Data, "--lease-clock", "local");
        Assert.Equal(1, refused.ExitCode);
        var line = Assert.Single(refused.ErrorLines);
        Assert.Contains("Local", line, StringComparison.Ordinal);
        Assert.Contains("Log", line, StringComparison.Ordinal);
    }

    /// <summary>A lease that is live by the log's clock, and has expired by any other.</summary>
    private void Make()
    {
        using var engine = LsmStateMachine.Open(Data, new EngineOptions { LeaseClock = LeaseClock.Log });
        engine.ApplyChunk(
            [new ApplyEntry(
                1, 1, Command.Insert("k"u8.ToArray(), "v"u8.ToArray(), ttlSeconds: 10), TimestampMs: 1_000)],
            new ApplyResult[1]);
    }

    private async Task<ToolResult> SucceedAsync(params string[] arguments)
    {
        var result = await _tool.RunAsync(arguments);
        Assert.True(result.ExitCode == 0, result.Error);
        return result;
    }
}
