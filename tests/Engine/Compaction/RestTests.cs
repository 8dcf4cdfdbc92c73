using Microsoft.Extensions.Time.Testing;
using Varve.Background;
using Varve.Storage;
using Varve.Tests.Engine.Recovery;
using Xunit;

namespace Varve.Tests.Engine.Compaction;

/// <summary>
/// An engine at rest has small segments, so that little data takes little space; full segments make the next ones
/// larger again.
/// </summary>
public sealed class RestTests : IDisposable
{
    private const long Full = 1 << 20;
    private const long Resting = Full / 64;
    private const long Between = Resting * 16;
    private readonly Database _database = new();

    public void Dispose() => _database.Dispose();

    private static EngineOptions Options => Database.Small with { MemtableBytes = Full };

    [Fact]
    public async Task CompactionLeavesSmallSegments()
    {
        using var machine = _database.Open(Options);
        Fill(machine);
        await machine.CompactAsync();
        WaitForRest();
        NumberedLog.AssertIsWhole(machine);
    }

    [Fact]
    public void IdleEngineKeepsUsedSegmentsAndNonePrepared()
    {
        var clock = new FakeTimeProvider();
        using var machine = _database.Open(Options with { TimeProvider = clock, IdleAfter = TimeSpan.FromMinutes(1) });
        Fill(machine);
        // Rows in the log's active segment stay there, and that segment stays with them.
        clock.Advance(TimeSpan.FromMinutes(1));
        clock.Advance(TimeSpan.FromMinutes(1));
        Waiting.Until(() => Lengths() is [Full]);
        NumberedLog.AssertIsWhole(machine);
    }

    [Fact]
    public async Task FilledSegmentsGrowToFullSizeAgain()
    {
        using var machine = _database.Open(Options);
        NumberedLog.ApplyUpTo(machine, 500);
        await machine.CompactAsync();
        WaitForRest();
        var seen = new HashSet<long>();
        for (var index = 501UL; index < 60_000; index += 100)
        {
            NumberedLog.ApplyUpTo(machine, index + 99);
            seen.UnionWith(Lengths());
        }

        Assert.Subset(new HashSet<long> { Resting, Between, Full }, seen);
        Assert.Superset(new HashSet<long> { Resting, Full }, seen);
        NumberedLog.AssertIsWhole(machine);
    }

    [Fact]
    public async Task CompactionUnderLoadKeepsReadyMemtables()
    {
        var storage = new FaultInjector(Storages.Default);
        using var machine = _database.Open(Options, new EngineSeams(storage));
        Fill(machine);
        using var goOn = new ManualResetEventSlim();
        storage.Before = (operation, path) =>
        {
            if (operation == "create" && path.Contains(FileNames.TableSuffix, StringComparison.Ordinal)) goOn.Wait();
        };
        var compaction = machine.CompactAsync();
        NumberedLog.ApplyUpTo(machine, machine.LastApplied.Index + 100);
        goOn.Set();
        await compaction;
        Assert.All(Lengths(), length => Assert.Equal(Full, length));
    }

    [Fact]
    public async Task OpenContinuesWithSmallSegments()
    {
        using (var machine = _database.Open(Options))
        {
            NumberedLog.ApplyUpTo(machine, 500);
            await machine.CompactAsync();
        }

        using var reopened = _database.Open(Options);
        WaitForRest();
        NumberedLog.AssertIsWhole(reopened);
    }

    [Theory]
    [InlineData(200_000)]     // more than a small one holds: a full-sized one
    [InlineData(3_000_000)]   // more than that: one of its own
    public async Task LargeRecordFitsAfterRest(int valueBytes)
    {
        var value = new byte[valueBytes];
        Array.Fill(value, (byte)0xA5);
        using (var machine = _database.Open(Options))
        {
            NumberedLog.ApplyUpTo(machine, 500);
            await machine.CompactAsync();
            WaitForRest();
            machine.ApplyChunk(
                [new ApplyEntry(501, NumberedLog.TermOf(501), Command.Insert("big"u8.ToArray(), value))],
                new ApplyResult[1]);
            Assert.Equal(value, machine.Get("big"u8));
        }

        using var recovered = _database.Open(Options);
        Assert.Equal(value, recovered.Get("big"u8));
    }

    [Fact]
    public async Task HistoryServesCutsFromBeforeRest()
    {
        using var machine = _database.Open(Options with { HistoryEntries = 1_000 });
        NumberedLog.ApplyUpTo(machine, 400);
        await machine.CompactAsync();
        NumberedLog.ApplyUpTo(machine, 800);
        await machine.CompactAsync();
        foreach (var cut in (ulong[])[150, 399, 400, 401, 799, 800])
        {
            var path = Path.Combine(_database.Root, $"snapshot-{cut}");
            var checksum = await machine.GenerateSnapshotDataAsync(path, NumberedLog.Id(cut));
            using var other = LsmStateMachine.Open(Path.Combine(_database.Root, $"other-{cut}"), Options);
            await other.ApplySnapshotFromFileAsync(new SnapshotMetadata(NumberedLog.Id(cut), checksum), path);
            Assert.Equal(cut, NumberedLog.AssertIsWholeToRead(other));
        }
    }

    private void WaitForRest() => Waiting.Until(() => Lengths() is [Resting]);

    /// <summary>Applies until the log has full-sized segments alone, the active one and those ahead.</summary>
    private void Fill(LsmStateMachine machine) => Waiting.Until(() =>
    {
        NumberedLog.ApplyUpTo(machine, machine.LastApplied.Index + 200);
        return Lengths() is [Full, Full, ..] lengths && lengths.All(length => length == Full);
    });

    private long[] Lengths()
    {
        var lengths = new List<long>();
        foreach (var path in _database.Files(FileNames.SegmentSuffix))
        {
            var file = new FileInfo(path);
            if (file.Exists) lengths.Add(file.Length);
        }

        return [.. lengths];
    }
}
