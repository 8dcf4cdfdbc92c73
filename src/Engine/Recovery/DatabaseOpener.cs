using Varve.Commit;
using Varve.Contract;
using Varve.Format;
using Varve.LiveKeys;
using Varve.Memtables;
using Varve.Runtime;
using Varve.Storage;
using Varve.Tables;
using Varve.Versions;
using Varve.Wal;

namespace Varve.Recovery;

/// <summary>
/// Opens the database in a directory: finds or makes it, and recovers it to the state of one applied index.
/// <para>
/// The problem: a crash may have come between any two file operations, of a creation, a flush, an install or an earlier
/// open, and this open may end the same way. Whatever files it finds, it shows a state that the engine was in, or names
/// the file that is damaged.
/// </para>
/// <list type="number">
/// <item>The directory's claim is held before anything is read (<see cref="DirectoryClaim"/>). A read-only open has a
/// share only, so what looks like damage is read again (<see cref="DirectoryLook"/>).</item>
/// <item>The identity file decides whether there is a database. A creation writes it last
/// (<see cref="DatabaseCreator"/>).</item>
/// <item>Debris is deleted before anything is written: it may be what has filled the disk.</item>
/// <item>The manifest names every table and the first segment. A named file that is missing is corruption. File numbers
/// continue above every number that a file of the directory has (I6).</item>
/// <item>The log from the first segment on holds everything after the tables. Replay decides nothing
/// (<see cref="WalReplayer"/>).</item>
/// <item><see cref="StartDecision"/> says where the log continues and what is synced before (I2, I3);
/// <see cref="WalStart"/> does it.</item>
/// <item>The manifest is written anew and synced before any file is deleted on its word (I5).</item>
/// <item>The recovered position is published last, in the version that has everything up to it (I1).</item>
/// <item>If a step throws, all that was opened is released, and the directory is as recoverable as it was.</item>
/// </list>
/// <para>
/// The obvious design takes a directory without an identity file for an empty one, and continues in the last segment
/// whatever its end is. It loses a whole state to one lost file. And it appends behind a torn tail: if the first record
/// there is damaged in turn, a scan finds older records behind it, valid by their checksums, that were never applied.
/// </para>
/// <para>Threads: the opening one alone, before the engine exists.</para>
/// </summary>
internal sealed class DatabaseOpener(
    IStorage storage, string directory, EngineOptions options, Action<Allocation>? allocations)
{
    private readonly OrphanSweeper _sweeper = new(storage, directory);
    private readonly OpenedParts _opened = new();

    public RecoveredDatabase Open()
    {
        try
        {
            var identityPath = PathOf(FileNames.Identity);
            if (!storage.FileExists(identityPath)) new DatabaseCreator(storage, directory, options, _sweeper).Create();
            else if (!options.ReadOnly) _sweeper.SweepDebris(storage.List(directory));
            var identity = ReadPointer(storage, identityPath);
            return Recover(identity.DatabaseId);
        }
        catch
        {
            _opened.Dispose();
            throw;
        }
    }

    private RecoveredDatabase Recover(Guid databaseId)
    {
        // The files.
        var numbers = new FileNumbers(1);
        var (manifest, runs, log) = Look(databaseId, numbers);
        _opened.Add(manifest);
        foreach (var table in runs.SelectMany(run => run.Tables)) _opened.AddReference(table);
        var content = manifest.Content;
        var clock = CheckClock(content.State);
        CountNumbers(numbers, manifest);

        // The supply of memtables, before replay makes the first ones.
        var supply = _opened.Add(new MemtableSupply(options, new SegmentPool(
            storage, directory, databaseId, numbers, RoundedSegment(options.MemtableBytes),
            options.Durability != Durability.Process)));

        // The state: that of the tables, then what the log adds.
        var state = CountedNow(options, content.State, runs);
        var generation = new StateGeneration(state, OutcomesKept, allocations);
        var replay = new WalReplayer(generation, state, supply.Indexes, supply.Segments);
        if (log is not null) Replay(log, replay);

        // The log's end.
        var start = new WalStart(manifest, log, replay, supply, _opened, options);
        var wal = options.ReadOnly ? start.ForReading(directory) : start.ForWriting();
        if (!options.ReadOnly) _sweeper.SweepUnnamed(manifest, [.. SegmentsOf(log).Select(segment => segment.Number)]);
        supply.Start(wal.Active.Length);

        // Publication.
        var version = new DbVersion(generation, [.. replay.Memtables.AsEnumerable().Reverse()], runs, state);
        Publisher.Recovered(generation, replay.Position, replay.Mark, wal.Active);
        _opened.ReleaseReferences();
        var durable = replay.UpdateDurable(wal.Synced, content.State);
        return new RecoveredDatabase(
            databaseId, numbers, manifest, version, wal, supply, clock, replay, durable, log?.TornBytes ?? 0);
    }

    private DirectoryLook Look(Guid databaseId, FileNumbers numbers)
    {
        if (!options.ReadOnly) return DirectoryLook.Take(storage, directory, databaseId, numbers, options);
        var known = new Dictionary<ulong, TableHandle>();
        try
        {
            return DirectoryLook.TakeBeside(storage, directory, databaseId, numbers, options, known);
        }
        finally
        {
            foreach (var table in known.Values) table.Release();
        }
    }

    private LeaseClock CheckClock(MachineState state)
    {
        var stored = (LeaseClock)state.LeaseClock;
        if (stored == options.LeaseClock || options.TakesStoredLeaseClock) return stored;
        throw new ArgumentException(
            $"{nameof(EngineOptions)}.{nameof(options.LeaseClock)} is {options.LeaseClock}, and the database in "
                + $"{directory} was made with {stored}; open it with that.",
            nameof(options));
    }

    /// <summary>
    /// Raises the next file number above every file of this database: those that the manifest may have named, and those
    /// that were made since its last edit (I6).
    /// </summary>
    private void CountNumbers(FileNumbers numbers, ManifestStore manifest)
    {
        numbers.Above(Math.Max(manifest.Content.NextFileNumber, manifest.Number + 1) - 1);
        var limit = numbers.Peek + FileNumbers.PlausibleAhead;
        foreach (var name in storage.List(directory))
        {
            var bare = name.EndsWith(FileNames.TemporarySuffix, StringComparison.Ordinal)
                ? name[..^FileNames.TemporarySuffix.Length]
                : name;
            foreach (var suffix in (ReadOnlySpan<string>)[
                FileNames.SegmentSuffix, FileNames.TableSuffix, FileNames.ManifestSuffix])
                if (FileNames.TryParse(bare, suffix, out var number) && number < limit) numbers.Above(number);
        }
    }

    /// <summary>
    /// The state of the tables, its live keys counted at a time that the local clock has reached. The clock that they
    /// were counted by may have been ahead of this one.
    /// </summary>
    public static MachineState CountedNow(EngineOptions options, MachineState state, Run[] runs)
    {
        var now = Math.Max(state.LocalTimeMs, state.CleanedTimeMs);
        if (state.LeaseClock == StoredLeaseClock.Log || now >= state.CountedTimeMs) return state;
        now = Math.Max(now, EngineClock.Read(options.TimeProvider));
        return now < state.CountedTimeMs ? StateCounts.CountedAt(runs, state, now) : state;
    }

    private void Replay(RecoveredLog log, WalReplayer replay)
    {
        foreach (var segment in SegmentsOf(log)) _opened.Add(segment);
        foreach (var segment in log.Segments)
        {
            _opened.AddReference(replay.Replay(segment));
            _opened.Drop(segment); // the memtable's from here on
        }
    }

    private static IEnumerable<WalSegment> SegmentsOf(RecoveredLog? log) =>
        log is null ? [] : log.Unused.Concat(log.Segments);

    private int OutcomesKept => options.HistoryEntries + EngineOptions.OutcomesKept;

    private static long RoundedSegment(long bytes) => (bytes + 4095) & ~4095L;

    /// <summary>Reads CURRENT or the identity file.</summary>
    public static PointerFile ReadPointer(IStorage storage, string path)
    {
        using var file = storage.Open(path, FileIntent.Read);
        var bytes = new byte[Math.Min(file.Length, PointerFile.Size + 1)];
        file.Read(0, bytes);
        return PointerFile.TryDecode(bytes, out var pointer, out var error)
            ? pointer
            : throw DecodeFailure.Of(path, 0, CorruptionKind.PointerFile, error);
    }

    private string PathOf(string name) => Path.Combine(directory, name);
}
