using Varve.Commit;
using Varve.Contract;
using Varve.Epochs;
using Varve.Format;
using Varve.Memtables;
using Varve.Runtime;
using Varve.Storage;
using Varve.Tables;
using Varve.Versions;
using Varve.Wal;

namespace Varve.Recovery;

/// <summary>
/// Finds or makes a database in a directory and recovers it to the state of one applied index. A directory is new when
/// it has no identity file and nothing of ours but what a creation that was cut off leaves behind; one that has an
/// identity but lacks a file is corrupt, never new.
/// </summary>
internal sealed class DatabaseOpener(IStorage storage, string directory, EngineOptions options)
{
    /// <summary>What recovery did.</summary>
    internal readonly record struct Report(long TornTailBytes, long RecoveredEntries, LogEnding Ending, bool IsNew);

    /// <summary>The parts of an engine, recovered.</summary>
    internal sealed record Parts(
        Guid DatabaseId,
        FileNumbers Numbers,
        ManifestStore Manifest,
        DbVersion Version,
        WalWriter Wal,
        SegmentPool Pool,
        LeaseClock LeaseClock,
        WalReplayer Replay,
        LogId Durable,
        Report Report) : IDisposable
    {
        /// <summary>Lets go of them, where no engine came of it.</summary>
        public void Dispose()
        {
            Version.Release();
            Pool.Dispose();
            Manifest.Dispose();
        }
    }

    private readonly List<IDisposable> _opened = [];
    private readonly List<RefCounted> _acquired = [];

    public Parts Run(MemtableStock stock)
    {
        try
        {
            var identityPath = PathOf(FileNames.Identity);
            if (!storage.FileExists(identityPath)) Create();
            // First: it may be what has filled the disk.
            else if (!options.ReadOnly) SweepDebris(storage.List(directory));
            var identity = ReadPointer(storage, identityPath);
            return Recover(identity.DatabaseId, stock);
        }
        catch
        {
            foreach (var shared in _acquired) shared.Release();
            foreach (var disposable in _opened) disposable.Dispose();
            throw;
        }
    }

    /// <summary>What a reader is told where there is no identity file.</summary>
    public static IOException NoDatabase(IStorage storage, string directory)
    {
        var identity = Path.Combine(directory, FileNames.Identity);
        var names = storage.List(directory);
        // It may have come meanwhile, and files after it.
        var remains = storage.FileExists(identity) ? null : Remains(names);
        return remains is null
            ? new FileNotFoundException($"{directory}: no database to open read-only.", identity)
            : MissingIdentity(identity, remains);
    }

    /// <summary>A file that only a database has which once had an identity.</summary>
    private static string? Remains(IReadOnlyList<string> names)
    {
        foreach (var name in names)
        {
            if (FileNames.TryParse(name, FileNames.TableSuffix, out _)
                || FileNames.TryParse(name, FileNames.SegmentSuffix, out _))
                return name;
        }

        return null;
    }

    private static CorruptionException MissingIdentity(string path, string remains) =>
        new(path, 0, "identity", "an identity file beside " + remains, "none");

    private void Create()
    {
        var names = storage.List(directory);
        if (Remains(names) is { } remains) throw MissingIdentity(PathOf(FileNames.Identity), remains);
        SweepDebris(names);
        foreach (var name in names)
            if (name == FileNames.Current || FileNames.TryParse(name, FileNames.ManifestSuffix, out _))
                storage.Delete(PathOf(name));

        // Whoever made the directory may have died before its name was durable, or not got it synced.
        if (Path.GetDirectoryName(directory) is { Length: > 0 } parent) storage.SyncDirectory(parent);

        // The identity comes last: without it, what is there is a creation that was cut off.
        var id = Guid.NewGuid();
        var seed = options.HashSeed ?? KeyHasher.NewSeed();
        var state = MachineState.Empty(seed, (StoredLeaseClock)options.LeaseClock);
        ManifestStore.Create(
            storage, directory, id, new FileNumbers(1),
            new VersionEdit { NextFileNumber = 1, FirstSegment = 0, State = state }).Dispose();
        DurableFile.Replace(storage, PathOf(FileNames.Identity), new PointerFile(id, 0).Encode());
    }

    private Parts Recover(Guid databaseId, MemtableStock stock)
    {
        var numbers = new FileNumbers(1);
        var (manifest, runs, log) = Look(databaseId, numbers);
        Keep(manifest);
        foreach (var table in runs.SelectMany(run => run.Tables)) _acquired.Add(table);
        var content = manifest.Content;
        var clock = CheckClock(content.State);
        numbers.Above(Math.Max(content.NextFileNumber, manifest.Number + 1) - 1);
        var limit = numbers.Peek + FileNumbers.PlausibleAhead;
        foreach (var name in storage.List(directory)) NoteNumber(numbers, name, limit);
        var state = CountedNow(options, content.State, runs);
        var generation = new StateGeneration(state, OutcomesKept, options.Allocations);
        var recovered = new WalReplayer(generation, state, stock);

        if (log is not null)
        {
            _opened.AddRange(log.Unused);
            _opened.AddRange(log.Segments);
            foreach (var segment in log.Segments)
            {
                _acquired.Add(recovered.Replay(segment));
                _opened.Remove(segment); // the memtable's from here on
            }
        }

        var pool = Keep(new SegmentPool(
            storage, directory, databaseId, numbers, RoundedSegment(options.MemtableBytes),
            options.Durability != Durability.Process));
        var wal = options.ReadOnly
            ? OpenReadOnly(log, recovered)
            : OpenForWriting(manifest, log, recovered, pool, generation, stock);
        var version = new DbVersion(generation, [.. recovered.Memtables.AsEnumerable().Reverse()], runs, state);
        Publisher.Recovered(generation, recovered.Position);
        foreach (var shared in _acquired) shared.Release();
        _acquired.Clear();
        var durable = recovered.TakeDurable(wal.Synced, content.State);
        return new Parts(
            databaseId, numbers, manifest, version, wal, pool, clock, recovered, durable,
            new Report(log?.TornBytes ?? 0, recovered.Entries, log?.Ending ?? LogEnding.Clean, log is null));
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
    /// The state of the tables, counted at a time that the local clock is not behind of: it may be behind the one that
    /// counted.
    /// </summary>
    public static MachineState CountedNow(EngineOptions options, MachineState state, Run[] runs)
    {
        var now = Math.Max(state.LocalTimeMs, state.CleanedTimeMs);
        if (state.LeaseClock == StoredLeaseClock.Log || now >= state.CountedTimeMs) return state;
        now = Math.Max(now, EngineClock.Read(options.TimeProvider));
        return now < state.CountedTimeMs ? LiveKeyCounter.CountedAt(runs, state, now) : state;
    }

    private WalWriter OpenReadOnly(RecoveredLog? log, WalReplayer recovered)
    {
        if (log is null)
            throw new FileNotFoundException(
                $"{directory}: the database has no log yet; open it for writing first.", directory);
        foreach (var segment in log.Unused) segment.Dispose();
        _opened.RemoveAll(item => item is WalSegment);
        return new WalWriter(log.Segments[^1], recovered.Position, log.Synced, isSynced: false);
    }

    /// <summary>
    /// Goes on in the last segment where the log ended cleanly, and in a new one otherwise; then sweeps what is not
    /// needed.
    /// </summary>
    private WalWriter OpenForWriting(
        ManifestStore manifest, RecoveredLog? log, WalReplayer recovered, SegmentPool pool, StateGeneration generation,
        MemtableStock stock)
    {
        manifest.BeginWriting();
        WalWriter wal;
        if (log is null || log.IsSealed || log.Ending == LogEnding.TornTail)
        {
            var next = Keep(pool.Take(WalWriter.MarkerSize(24), pool.RestingLength));
            if (log is not null)
            {
                // What was read is made durable before the new segment's link vouches for it.
                foreach (var segment in log.Segments)
                {
                    segment.Redirty(WalSegmentHeader.Size, segment.End);
                    segment.Sync();
                }

                recovered.Memtables[^1].Seal(recovered.Position);
            }

            WalWriter.Link(next, log?.Segments[^1], recovered.Position, log?.Synced ?? default);
            next.Sync();
            if (log is null)
                manifest.Append(new VersionEdit { NextFileNumber = next.Number + 1, FirstSegment = next.Number });
            var memtable = new Memtable(next, stock);
            _opened.Remove(next); // the memtable's from here on
            _acquired.Add(memtable);
            recovered.Memtables.Add(memtable);
            wal = new WalWriter(
                next, recovered.Position, new LogOffset(next.Number, next.End), options.Durability == Durability.Power);
        }
        else
        {
            foreach (var segment in log.Segments)
            {
                var from = segment.Number < log.Synced.Segment
                    ? segment.End
                    : segment.Number == log.Synced.Segment ? Math.Min(log.Synced.Offset, segment.End)
                    : WalSegmentHeader.Size;
                segment.Redirty(from, segment.End);
                // What was acknowledged is durable, and is to be known as such.
                if (options.Durability == Durability.Power) segment.Sync();
            }

            var last = log.Segments[^1];
            var synced = options.Durability == Durability.Power ? new LogOffset(last.Number, last.End) : log.Synced;
            wal = new WalWriter(
                last, recovered.Position, synced, options.Durability == Durability.Power,
                log.Segments.Take(log.Segments.Count - 1));
        }

        Sweep(manifest, log, pool);
        return wal;
    }

    /// <summary>
    /// Removes what is nobody's without a word of the manifest: temporaries and staging directories that a crash left
    /// behind. What cannot be removed now stays, as a segment does that a reader still has mapped; a later open sweeps
    /// it.
    /// </summary>
    private void SweepDebris(IReadOnlyList<string> names)
    {
        foreach (var name in names)
        {
            if (FileNames.IsTemporary(name)) DurableFile.TryDelete(storage, PathOf(name));
            else if (FileNames.IsStaging(name)) DirectoryTree.TryDelete(storage, PathOf(name.TrimEnd('/')));
        }
    }

    /// <summary>Removes files that the manifest does not name. Unknown files stay.</summary>
    private void Sweep(ManifestStore manifest, RecoveredLog? log, SegmentPool pool)
    {
        var named = manifest.Content.Runs.SelectMany(run => run).Select(table => table.Table.Number).ToHashSet();
        var segments = log?.Segments.Select(segment => segment.Number).ToHashSet() ?? [];
        foreach (var unused in log?.Unused ?? [])
        {
            _opened.Remove(unused);
            pool.Recycle(unused);
            segments.Add(unused.Number);
        }

        foreach (var name in storage.List(directory))
        {
            if ((FileNames.TryParse(name, FileNames.TableSuffix, out var table) && !named.Contains(table))
                || (FileNames.TryParse(name, FileNames.ManifestSuffix, out var number) && number != manifest.Number)
                || (FileNames.TryParse(name, FileNames.SegmentSuffix, out var segment)
                    && segment < manifest.Content.FirstSegment && !segments.Contains(segment)))
            {
                // What somebody has mapped stays where mapped files cannot be deleted; a later open sweeps it.
                DurableFile.TryDelete(storage, PathOf(name));
            }
        }
    }

    private int OutcomesKept => options.HistoryEntries + EngineOptions.OutcomesKept;

    private static long RoundedSegment(long bytes) => (bytes + 4095) & ~4095L;

    /// <summary>Counts the number of a file that this database may have made since the manifest's last edit.</summary>
    private static void NoteNumber(FileNumbers numbers, string name, ulong limit)
    {
        var bare = name.EndsWith(FileNames.TemporarySuffix, StringComparison.Ordinal)
            ? name[..^FileNames.TemporarySuffix.Length]
            : name;
        foreach (var suffix in (ReadOnlySpan<string>)[
            FileNames.SegmentSuffix, FileNames.TableSuffix, FileNames.ManifestSuffix])
            if (FileNames.TryParse(bare, suffix, out var number) && number < limit) numbers.Above(number);
    }

    /// <summary>Reads CURRENT or the identity file.</summary>
    public static PointerFile ReadPointer(IStorage storage, string path)
    {
        using var file = storage.Open(path, FileIntent.Read);
        var bytes = new byte[Math.Min(file.Length, PointerFile.Size + 1)];
        file.Read(0, bytes);
        return PointerFile.TryDecode(bytes, out var pointer, out var error)
            ? pointer
            : throw DecodeFailure.Of(path, 0, "pointer file", error);
    }

    private T Keep<T>(T item) where T : IDisposable
    {
        _opened.Add(item);
        return item;
    }

    private string PathOf(string name) => Path.Combine(directory, name);
}
