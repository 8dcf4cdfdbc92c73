using Varve.Snapshots;
using Varve.Storage;

namespace Varve.Tests.Corruption.Golden;

/// <summary>
/// A small database that holds every kind of file, record, edit and region, the snapshot made of it, as a directory and packed, and
/// copies of it at earlier times of its life. The content is a function of the seed; ids and salts are random.
/// </summary>
internal sealed class GoldenDatabase : IDisposable
{
    public const string Directory = "/golden/db";
    public const string SnapshotDirectory = "/golden/snapshot";
    public const string PackedSnapshot = "/golden/snapshot.varve";
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private GoldenDatabase(int seed) => Log = new GoldenLog(seed);

    public GoldenLog Log { get; }

    public MemoryDisk Disk { get; private set; } = new();

    /// <summary>The disk at earlier times, oldest first, each with the position that the state then had.</summary>
    public List<(string When, MemoryDisk Disk, ulong Index)> Earlier { get; } = [];

    public SnapshotMetadata Snapshot { get; private set; } = null!;

    public SnapshotMetadata LastMetadata { get; private set; } = null!;

    public bool IsClosed { get; private set; }

    public static EngineOptions Options(MemoryDisk disk) => new()
    {
        MemtableBytes = 64 << 10, TableBytes = 64 << 10, BlockBytes = 1024, UpperRunsMax = 3, HistoryEntries = 220,
        LeaseClock = LeaseClock.Log, LogGaps = LogGapPolicy.Allow, Storage = disk,
    };

    /// <summary>Builds it, and stops the machine as a kill does, or by closing it.</summary>
    public static async Task<GoldenDatabase> BuildAsync(Durability durability, bool close, int seed = 7)
    {
        var golden = new GoldenDatabase(seed);
        await golden.LiveAsync(durability, close).ConfigureAwait(false);
        return golden;
    }

    public void Dispose()
    {
        Disk.Dispose();
        foreach (var (_, disk, _) in Earlier) disk.Dispose();
    }

    private async Task LiveAsync(Durability durability, bool close)
    {
        var disk = new MemoryDisk();
        disk.CreateDirectory(Directory);
        var options = Options(disk) with { Durability = durability };
        using (var machine = LsmStateMachine.Open(Directory, options))
        {
            ApplyUntilFlushed(machine, 1);
            Keep("after its first flush", disk);
            ApplyUntilFlushed(machine, 5);
            await machine.CompactAsync().ConfigureAwait(false);
            Keep("after a compaction", disk);
        }

        Keep("closed", disk);
        using (var machine = LsmStateMachine.Open(Directory, options))
        {
            Keep("opened again", disk);
            ApplyUntilFlushed(machine, 2);
            await machine.CompactAsync().ConfigureAwait(false);
            ApplyUntilFlushed(machine, machine.GetStatistics().Flushes + 2);
            Snapshot = new SnapshotMetadata(Last, await machine.GenerateSnapshotDataAsync(SnapshotDirectory, Last).ConfigureAwait(false));
            Keep("after its snapshot", disk);

            // From here on no table can be made: what is applied stays in the log.
            disk.IsFullFor = path => path.Contains(FileNames.TableSuffix, StringComparison.Ordinal);
            while (machine.GetStatistics().Memtables < 3) Apply(machine);
            Keep("with two memtables waiting", disk);
            Apply(machine, 4);
            if ((await machine.LeaseBackgroundCleanupAsync().ConfigureAwait(false)).Count == 0) throw new InvalidOperationException("Nothing expired.");
            Apply(machine, 2);
            machine.UpdateLastApplied(Log.Jump(3));
            LastMetadata = new SnapshotMetadata(Last, new byte[32]);
            machine.UpdateLastSnapshotMetadata(LastMetadata);
            Apply(machine, 3);
            WaitFor(() => NextSegmentIsReady(disk), "the next segment");
            if (!close) Disk = disk.Copy();
        }

        if (close) Disk = disk.Copy();
        IsClosed = close;
        disk.Dispose();
        using var packed = new MemoryStream();
        await SnapshotPacker.PackAsync(Disk, SnapshotDirectory, packed).ConfigureAwait(false);
        Disk.Put(PackedSnapshot, packed.ToArray());
    }

    private LogId Last => new(Log.Last.Index, Log.Last.Term);

    private void Apply(LsmStateMachine machine, int chunks = 1)
    {
        for (var i = 0; i < chunks; i++)
        {
            var chunk = Log.Next(8);
            machine.ApplyChunk(chunk, new ApplyResult[chunk.Length]);
        }
    }

    /// <summary>Applies, and waits for every flush: what is in which table is a function of the log then.</summary>
    private void ApplyUntilFlushed(LsmStateMachine machine, long flushes)
    {
        while (machine.GetStatistics().Flushes < flushes)
        {
            Apply(machine);
            WaitFor(() => machine.GetStatistics().Memtables == 1, "a flush");
        }
    }

    private void Keep(string when, MemoryDisk disk) => Earlier.Add((when, disk.Copy(), Log.Last.Index));

    private static bool NextSegmentIsReady(MemoryDisk disk)
    {
        var map = SegmentMap.Of(disk, Directory);
        return map.Ready is not null && disk.FileExists(map.Ready);
    }

    private static void WaitFor(Func<bool> condition, string what)
    {
        if (!SpinWait.SpinUntil(condition, Patience)) throw new TimeoutException(what);
    }
}
