using System.Text.Json;
using Xunit;

namespace Varve.Tests.Cli;

/// <summary><c>stat</c> shows every statistic of an engine, or leaves it out for a reason that is given here.</summary>
public sealed class StatTests : IDisposable
{
    private const string Work = "counts the work of one engine since its open, and the tool's has just been opened";
    private const string Varies = "is shown, and differs from call to call";
    private const string Views = "is of the readers of one engine, and the tool opens none";

    /// <summary>The member of the JSON object, and what the line of the text begins with.</summary>
    private static readonly Dictionary<string, (string Member, string Label)> Shown = new()
    {
        [nameof(EngineStatistics.LastApplied)] = ("last_applied", "last applied"),
        [nameof(EngineStatistics.DurableLogId)] = ("durable", "durable"),
        [nameof(EngineStatistics.Name)] = ("name", "database"),
        [nameof(EngineStatistics.DurableLag)] = ("durable_lag", "durable"),
        [nameof(EngineStatistics.Leases)] = ("leases", "leases"),
        [nameof(EngineStatistics.Disk)] = ("disk", "disk"),
        [nameof(EngineStatistics.Memtables)] = ("memtables", "memtables"),
        [nameof(EngineStatistics.MemtableBytes)] = ("memtable_bytes", "memtables"),
        [nameof(EngineStatistics.MemtableIndexBytes)] = ("memtable_index_bytes", "memtables"),
        [nameof(EngineStatistics.MemoryBytes)] = ("memory_bytes", "memory"),
        [nameof(EngineStatistics.ChunkBytes)] = ("chunk_bytes", "memory"),
        [nameof(EngineStatistics.RecoveredEntries)] = ("recovered_entries", "recovered"),
        [nameof(EngineStatistics.TornTailBytes)] = ("incomplete_tail_bytes", "recovered"),
        [nameof(EngineStatistics.Runs)] = ("runs", "run"),
        [nameof(EngineStatistics.Fault)] = ("fault", "fault"),
    };

    private static readonly Dictionary<string, string> LeftOut = new()
    {
        [nameof(EngineStatistics.EntriesApplied)] = Work,
        [nameof(EngineStatistics.ChunksApplied)] = Work,
        [nameof(EngineStatistics.Operations)] = Work,
        [nameof(EngineStatistics.WalBytes)] = Work,
        [nameof(EngineStatistics.FlushBytes)] = Work,
        [nameof(EngineStatistics.CompactionBytes)] = Work,
        [nameof(EngineStatistics.ManifestBytes)] = Work,
        [nameof(EngineStatistics.SnapshotBytes)] = Work,
        [nameof(EngineStatistics.WriteAmplification)] = Work,
        [nameof(EngineStatistics.Flushes)] = Work,
        [nameof(EngineStatistics.Compactions)] = Work,
        [nameof(EngineStatistics.Syncs)] = Work,
        [nameof(EngineStatistics.FlushTime)] = Work,
        [nameof(EngineStatistics.CompactionTime)] = Work,
        [nameof(EngineStatistics.SyncTime)] = Work,
        [nameof(EngineStatistics.Snapshots)] = Work,
        [nameof(EngineStatistics.SnapshotTime)] = Work,
        [nameof(EngineStatistics.Installs)] = Work,
        [nameof(EngineStatistics.InstallTime)] = Work,
        [nameof(EngineStatistics.RecoveryTime)] = Varies,
        [nameof(EngineStatistics.FreeDiskBytes)] = Varies,
        [nameof(EngineStatistics.FlushStalls)] = Work,
        [nameof(EngineStatistics.Pauses)] = Work,
        [nameof(EngineStatistics.SegmentStalls)] = Work,
        [nameof(EngineStatistics.StallTime)] = Work,
        [nameof(EngineStatistics.OpenViews)] = Views,
        [nameof(EngineStatistics.ChangeReaders)] = Views,
        [nameof(EngineStatistics.ChangeLag)] = Views,
        [nameof(EngineStatistics.OldestViewAge)] = Views,
        [nameof(EngineStatistics.OldestViewBytes)] = Views,
        [nameof(EngineStatistics.MemoryBudgetBytes)] = "is an option, and the tool's own",
    };

    private readonly Tool _tool = new();

    private string Data => _tool.PathOf("data");

    public void Dispose() => _tool.Dispose();

    [Fact]
    public async Task EveryStatisticIsShownOrExcluded()
    {
        var properties = typeof(EngineStatistics).GetProperties().Select(property => property.Name);
        Assert.Equal(properties.Order(), Shown.Keys.Concat(LeftOut.Keys).Order());
        using (var engine = LsmStateMachine.Open(Data))
        {
            await engine.ApplyChunkAsync(Insert(1, "a"));
            await engine.CompactAsync();
            await engine.ApplyChunkAsync(Insert(2, "b"));
        }

        EngineStatistics expected;
        using (var reader = LsmStateMachine.Open(Data, new EngineOptions { ReadOnly = true }))
            expected = reader.GetStatistics();
        foreach (var (name, reason) in LeftOut)
            if (reason is Work or Views) Assert.Equal((name, 0L), (name, NumberOf(ValueOf(name)!)));
        using var json = JsonDocument.Parse((await _tool.RunAsync("stat", "--json", "--data", Data)).Output);
        var lines = (await _tool.RunAsync("stat", "--data", Data)).Output.Split('\n');
        var members = json.RootElement.EnumerateObject().ToDictionary(member => member.Name, member => member.Value);
        foreach (var (name, (member, label)) in Shown)
        {
            if (ValueOf(name) is not { } value)
            {
                Assert.DoesNotContain(member, members.Keys);
                continue;
            }

            Assert.Equal(NumberOf(value), NumberOf(members[member]));
            Assert.Contains(lines, line => line.TrimStart().StartsWith(label, StringComparison.Ordinal));
        }

        Assert.Equal(
            ["count", "free_disk_bytes", "recovery_time"],
            members.Keys.Except(Shown.Values.Select(shown => shown.Member)).Order());

        object? ValueOf(string name) => typeof(EngineStatistics).GetProperty(name)!.GetValue(expected);
    }

    private static ApplyEntry[] Insert(ulong index, string key) =>
        [new ApplyEntry(index, 1, Command.Insert(System.Text.Encoding.ASCII.GetBytes(key), "value"u8.ToArray()))];

    /// <summary>One number for each kind of statistic.</summary>
    private static long NumberOf(object value) => value switch
    {
        LogId id => (long)id.Index,
        string text => text.Length,
        OperationCounts counts => counts.Inserts + counts.Deletes + counts.Noops,
        DiskUsage disk => disk.Total,
        IReadOnlyList<RunStatistics> runs => runs.Sum(run => run.Bytes),
        TimeSpan time => time.Ticks,
        double ratio => (long)ratio,
        JsonElement { ValueKind: JsonValueKind.String } text => text.GetString()!.Length,
        JsonElement { ValueKind: JsonValueKind.Object } parts =>
            (parts.TryGetProperty("total", out var total) ? total : parts.GetProperty("index")).GetInt64(),
        JsonElement { ValueKind: JsonValueKind.Array } runs =>
            runs.EnumerateArray().Sum(run => run.GetProperty("bytes").GetInt64()),
        JsonElement number => number.GetInt64(),
        _ => Convert.ToInt64(value, System.Globalization.CultureInfo.InvariantCulture),
    };
}
