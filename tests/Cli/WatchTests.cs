using System.Diagnostics;
using System.Text.Json;
using Xunit;

namespace Varve.Tests.Cli;

/// <summary><c>watch</c> prints what a writer applies.</summary>
public sealed class WatchTests : IDisposable
{
    private readonly Tool _tool = new();

    private string Data => _tool.PathOf("data");

    public void Dispose() => _tool.Dispose();

    [Fact]
    public async Task PastChangesArePrintedInOrder()
    {
        using (var owner = LsmStateMachine.Open(Data))
        {
            Apply(owner, Command.Insert("user/1", "Ada"));
            Apply(owner, Command.Insert("other", "x"));
            Apply(owner, Command.Insert("user/2", "tab\there"));
            Apply(owner, Command.Delete("user/1"u8.ToArray()));
        }

        var result = await _tool.RunAsync("watch", "user/", "--from", "1", "--count", "3", "--data", Data);
        Assert.Equal("", result.Error);
        Assert.Equal("1 put user/1 Ada\n3 put user/2 tab\\there\n4 delete user/1\n", result.Output);
        result = await _tool.RunAsync("watch", "--from", "3", "--count", "1", "--json", "--data", Data);
        Assert.Equal(
            "{\"index\":3,\"term\":1,\"kind\":\"put\",\"key\":\"user/2\",\"value\":\"tab\\there\"}\n", result.Output);
    }

    [Fact]
    public async Task WatchFollowsWriterThroughFlushAndCleanUp()
    {
        var clock = new Clock();
        using var owner = LsmStateMachine.Open(Data, new EngineOptions { TimeProvider = clock });
        Apply(owner, Command.Insert("before", "v"));
        using var watch = Start("watch", "--json", "--interval", "0.01", "--from", "1", "--data", Data);
        Assert.Equal((1UL, "put", "before"), await NextAsync(watch));
        Apply(owner, Command.Insert("leased", "v", ttlSeconds: 5));
        Assert.Equal((2UL, "put", "leased"), await NextAsync(watch));
        await owner.CompactAsync();
        clock.Now += TimeSpan.FromSeconds(5);
        await owner.LeaseBackgroundCleanupAsync();
        Assert.Equal((2UL, "expired", "leased"), await NextAsync(watch));
        Apply(owner, Command.Delete("before"u8.ToArray()));
        Assert.Equal((3UL, "delete", "before"), await NextAsync(watch));
        await owner.ResetAsync();
        await watch.WaitForExitAsync();
        Assert.Equal(6, watch.ExitCode);
        Assert.Contains("--from 1 ", await watch.StandardError.ReadToEndAsync());
    }

    [Fact]
    public async Task NextChangesAreDefault()
    {
        using var owner = LsmStateMachine.Open(Data);
        Apply(owner, Command.Insert("a", "1"));
        using var watch = Start("watch", "--interval", "0.01", "--count", "1", "--data", Data);
        var i = 0;
        while (!watch.WaitForExit(20)) Apply(owner, Command.Insert("b", $"{i++}")); // it may begin at any of these
        Assert.Matches(@"^\d+ put b \d+\n$", await watch.StandardOutput.ReadToEndAsync());
    }

    [Fact]
    public async Task LostChangesAreReportedWithOldestIndex()
    {
        using (var owner = LsmStateMachine.Open(Data, new EngineOptions { HistoryEntries = 0 }))
        {
            Apply(owner, Command.Insert("a", "1"));
            await owner.CompactAsync();
        }

        var result = await _tool.RunAsync("watch", "--from", "1", "--data", Data);
        Assert.Equal(6, result.ExitCode);
        Assert.Contains("--from 2 ", Assert.Single(result.ErrorLines));
    }

    [Theory]
    [InlineData("--interval", "0")]
    [InlineData("--count", "0")]
    public async Task BadNumberIsUsageError(string option, string value)
    {
        LsmStateMachine.Open(Data).Dispose();
        var result = await _tool.RunAsync("watch", option, value, "--data", Data);
        Assert.Equal(1, result.ExitCode);
        Assert.Single(result.ErrorLines);
    }

    private static void Apply(LsmStateMachine engine, Command command) =>
        engine.ApplyChunk([new ApplyEntry(engine.LastApplied.Index + 1, 1, command)], new ApplyResult[1]);

    private Process Start(params string[] arguments) => _tool.Start("dotnet", Tool.Command(arguments));

    private static async Task<(ulong Index, string Kind, string Key)> NextAsync(Process watch)
    {
        var line = await watch.StandardOutput.ReadLineAsync()
            ?? throw new InvalidOperationException(await watch.StandardError.ReadToEndAsync());
        using var json = JsonDocument.Parse(line);
        var root = json.RootElement;
        return (
            root.GetProperty("index").GetUInt64(), root.GetProperty("kind").GetString()!,
            root.GetProperty("key").GetString()!);
    }

    private sealed class Clock : TimeProvider
    {
        public DateTimeOffset Now { get; set; } = DateTimeOffset.UnixEpoch.AddYears(50);

        public override DateTimeOffset GetUtcNow() => Now;
    }
}
