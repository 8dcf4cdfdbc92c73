using Varve.Background;
using Varve.Snapshots;
using Varve.Storage;
using Varve.Tests.Shared.Disk;

namespace Varve.Tests.Corruption.Golden;

/// <summary>
/// A small database that holds every kind of file, record, edit and region, the snapshot made of it, as a directory and
/// packed, and copies of it at earlier times of its life. The content is a function of the seed; ids and salts are
/// random.
/// </summary>
internal sealed class GoldenDatabase : IDisposable
{
    public const string Directory = "/golden/db";
    public const string SnapshotDirectory = "/golden/snapshot";
    public const string PackedSnapshot = "/golden/snapshot.varve";
    private const int SegmentsAhead = 2;
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private GoldenDatabase(int seed) => Log = new GoldenLog(seed);

    public GoldenLog Log { get; }

    public SimFs Disk { get; private set; } = new();

    /// <summary>The disk at earlier times, oldest first, each with the position that the state then had.</summary>
    public List<(string When, SimFs Disk, ulong Index)> Earlier { get; } = [];

    public SnapshotMetadata Snapshot { get; private set; } = null!;

    public SnapshotMetadata LastMetadata { get; private set; } = null!;

    public static EngineOptions Options { get; } = new()
    {
        InvalidCommands = InvalidCommands.Refuse,
        MemtableBytes = 64 << 10,
        TableBytes = 64 << 10,
        BlockBytes = 1024,
        UpperRunsMax = 3,
        HistoryEntries = 110,
        LeaseClock = LeaseClock.Log,
        LogGaps = LogGapPolicy.Allow,
        IdleAfter = Timeout.InfiniteTimeSpan, // segments are kept after compactions, to be recycled
    };

    /// <summary>Builds it, and stops the machine as a kill does, or by closing it.</summary>
    public static async Task<GoldenDatabase> BuildAsync(Durability durability, bool close, int seed = 7)
    {
        var golden = new GoldenDatabase(seed);
        await Task.Run(() => golden.Live(durability, close)).ConfigureAwait(false);
        using var packed = new MemoryStream();
        await PackWriter.PackAsync(golden.Disk, SnapshotDirectory, packed).ConfigureAwait(false);
        golden.Disk.Put(PackedSnapshot, packed.ToArray());
        return golden;
    }

    public void Dispose()
    {
        Disk.Dispose();
        foreach (var (_, disk, _) in Earlier) disk.Dispose();
    }

    /// <summary>From now on the disk has no room for a table.</summary>
    public static void RefuseTables(SimFs disk) => disk.Faults.Before = (call, path) =>
    {
        if (call is SimCall.CreateFile or SimCall.TakeOver
            && path.Contains(FileNames.TableSuffix, StringComparison.Ordinal))
            throw new StorageFullException(path);
    };

    private void Live(Durability durability, bool close)
    {
        using var disk = new SimFs();
        disk.CreateDirectory(Directory);
        var options = Options with { Durability = durability };
        using (var machine = LsmStateMachine.Open(Directory, options, new EngineSeams(disk)))
        {
            ApplyUntilFlushed(machine, 1);
            Keep("after its first flush", disk);
            ApplyUntilFlushed(machine, 5);
            machine.CompactAsync().GetAwaiter().GetResult();
            Keep("after a compaction", disk);
        }

        Keep("closed", disk);
        using (var machine = LsmStateMachine.Open(Directory, options, new EngineSeams(disk)))
        {
            Keep("opened again", disk);
            GrowRuns(machine, disk);
            FillTheLog(machine);
            WaitFor(() => IsReady(disk), "the next segment");
            WaitFor(() => Settled(disk), "old tables to go");
            if (!close) Disk = disk.Copy();
        }

        if (close) Disk = disk.Copy();
    }

    /// <summary>
    /// Upper runs above a bottom, a snapshot, and sealed memtables; of the segments made ready one is recycled.
    /// </summary>
    private void GrowRuns(LsmStateMachine machine, SimFs disk)
    {
        using (machine.OpenView()) // keeps what it reads, and nothing that is made after it
        {
            ApplyUntilFlushed(machine, 2);
            machine.CompactAsync().GetAwaiter().GetResult();
            // For the leases; time has not moved on, so the edit has no state.
            machine.CompactAsync().GetAwaiter().GetResult();
            ApplyUntilFlushed(machine, machine.GetStatistics().Flushes + 2);
            Snapshot = new SnapshotMetadata(
                Last, machine.GenerateSnapshotDataAsync(SnapshotDirectory, Last).GetAwaiter().GetResult());
            Keep("after its snapshot", disk);

            // From here on no table can be created: applied entries stay in the log.
            RefuseTables(disk);
            while (machine.GetStatistics().Memtables < 2) Apply(machine);
            WaitFor(() => IsReady(disk), "the segments after the next");
        }

        while (machine.GetStatistics().Memtables < 3) Apply(machine);
        Keep("with two memtables waiting", disk);
    }

    /// <summary>Every kind of record, in the part of the log that is not in tables.</summary>
    private void FillTheLog(LsmStateMachine machine)
    {
        Apply(machine, 4);
        if (machine.LeaseBackgroundCleanupAsync().GetAwaiter().GetResult().Count == 0)
            throw new InvalidOperationException("Nothing expired.");
        Apply(machine, 2);
        machine.UpdateLastApplied(Log.Jump(3));
        LastMetadata = new SnapshotMetadata(Last, new byte[32]);
        machine.UpdateLastSnapshotMetadata(LastMetadata);
        machine.ApplyChunk(ReadOnlySpan<ApplyEntry>.Empty, [], "alone"u8);
        Apply(machine, 3);
    }

    /// <summary>The mark of the outer log after the chunk that ends with an entry.</summary>
    public static byte[] MarkOf(ulong index) => [.. "outer "u8, .. BitConverter.GetBytes(index)];

    private LogId Last => new(Log.Last.Index, Log.Last.Term);

    private void Apply(LsmStateMachine machine, int chunks = 1)
    {
        for (var i = 0; i < chunks; i++)
        {
            var chunk = Log.Next(8);
            machine.ApplyChunk(chunk, new ApplyResult[chunk.Length], MarkOf(chunk[^1].Index));
        }
    }

    /// <summary>
    /// Applies, and waits for every flush, so that the content of each table is a function of the log.
    /// </summary>
    private void ApplyUntilFlushed(LsmStateMachine machine, long flushes)
    {
        while (machine.GetStatistics().Flushes < flushes)
        {
            Apply(machine);
            WaitFor(() => machine.GetStatistics().Memtables == 1, "a flush");
        }
    }

    private void Keep(string when, SimFs disk) => Earlier.Add((when, disk.Copy(), Log.Last.Index));

    private static bool IsReady(SimFs disk)
    {
        try
        {
            return SegmentMap.Of(disk, Directory).Ready.Count >= SegmentsAhead;
        }
        catch (FileNotFoundException)
        {
            return false; // renamed or removed meanwhile
        }
    }

    private static bool Settled(SimFs disk) =>
        IsReady(disk)
        && disk.Files(Directory).Count(path => path.EndsWith(FileNames.TableSuffix, StringComparison.Ordinal))
            == SegmentMap.Of(disk, Directory).Manifest.Runs.Sum(run => run.Count());

    private static void WaitFor(Func<bool> condition, string what)
    {
        if (!SpinWait.SpinUntil(condition, Patience)) throw new TimeoutException(what);
    }
}
