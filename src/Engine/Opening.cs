using System.Buffers.Binary;
using System.Security.Cryptography;
using Varve.Format;
using Varve.Storage;
using Varve.Versions;
using Varve.Wal;

namespace Varve;

/// <summary>
/// Finds or makes a database in a directory and recovers it to the state of one applied index. A directory is new when it has no
/// identity file and nothing of ours but what a creation that was cut off leaves behind; one that has an identity but lacks a
/// file is corrupt, never new.
/// </summary>
internal sealed class Opening(IStorage storage, string directory, EngineOptions options)
{
    /// <summary>What recovery did.</summary>
    internal readonly record struct Report(long TornTailBytes, long RecoveredEntries, LogEnding Ending, bool IsNew);

    /// <summary>The parts of an engine, recovered.</summary>
    internal sealed record Parts(
        Guid DatabaseId, FileNumbers Numbers, ManifestStore Manifest, Versions.Version Version, WalWriter Wal, SegmentPool Pool,
        SnapshotMetadata? Snapshot, ulong CleanedTimeMs, LogId Durable, Report Report);

    private readonly List<IDisposable> _opened = [];
    private readonly List<Shared> _acquired = [];

    public Parts Run(MemtableStock stock)
    {
        try
        {
            var identityPath = PathOf(FileNames.Identity);
            if (!storage.FileExists(identityPath)) Create();
            var identity = ReadPointer(identityPath);
            return Recover(identity.DatabaseId, stock);
        }
        catch
        {
            foreach (var shared in _acquired) shared.Release();
            foreach (var disposable in _opened) disposable.Dispose();
            throw;
        }
    }

    private void Create()
    {
        var names = storage.List(directory);
        foreach (var name in names)
        {
            if (FileNames.TryParse(name, FileNames.TableSuffix, out _) || FileNames.TryParse(name, FileNames.SegmentSuffix, out _))
                throw new CorruptionException(PathOf(FileNames.Identity), 0, "identity", "an identity file beside " + name, "none");
        }

        if (options.ReadOnly) throw new FileNotFoundException($"{directory}: no database to open read-only.", PathOf(FileNames.Identity));
        foreach (var name in names)
            if (name == FileNames.Current || FileNames.TryParse(name, FileNames.ManifestSuffix, out _)) storage.Delete(PathOf(name));

        // Whoever made the directory may have died before its name was durable, or not got it synced.
        if (Path.GetDirectoryName(directory) is { Length: > 0 } parent) storage.SyncDirectory(parent);

        // The identity comes last: without it, what is there is a creation that was cut off.
        var id = Guid.NewGuid();
        var seed = options.HashSeed ?? BinaryPrimitives.ReadUInt64LittleEndian(RandomNumberGenerator.GetBytes(sizeof(ulong)));
        var state = MachineState.Empty(seed, (StoredLeaseClock)options.LeaseClock);
        ManifestStore.Create(storage, directory, id, new FileNumbers(1), new VersionEdit { NextFileNumber = 1, FirstSegment = 0, State = state }).Dispose();
        DurableFile.Replace(storage, PathOf(FileNames.Identity), new PointerFile(id, 0).Encode());
    }

    private Parts Recover(Guid databaseId, MemtableStock stock)
    {
        var currentPath = PathOf(FileNames.Current);
        if (!storage.FileExists(currentPath)) throw new CorruptionException(currentPath, 0, "current", "the file that names the manifest", "no such file");
        var current = ReadPointer(currentPath);
        if (current.DatabaseId != databaseId) throw new CorruptionException(currentPath, 16, "current", $"database {databaseId}", $"{current.DatabaseId}");

        var numbers = new FileNumbers(1);
        var manifest = Keep(ManifestStore.Load(storage, directory, current, numbers));
        var content = manifest.Content;
        numbers.Above(Math.Max(content.NextFileNumber, manifest.Number + 1) - 1);
        foreach (var name in storage.List(directory)) NoteNumber(numbers, name);

        var runs = VersionSet.OpenRuns(storage, directory, content.Runs, options);
        foreach (var table in runs.SelectMany(run => run.Tables)) _acquired.Add(table);
        var incarnation = new Incarnation(content.State, OutcomesKept);
        var recovered = new LogReplay(incarnation, content.State, stock);

        var isNew = content.FirstSegment == 0;
        RecoveredLog? log = null;
        if (!isNew)
        {
            var access = options.ReadOnly ? MappingAccess.Table : options.Durability == Durability.Process ? MappingAccess.Segment : MappingAccess.SyncedSegment;
            log = WalRecovery.Run(storage, directory, databaseId, content.FirstSegment, access);
            _opened.AddRange(log.Unused);
            _opened.AddRange(log.Segments);
            foreach (var segment in log.Segments)
            {
                _acquired.Add(recovered.Replay(segment));
                _opened.Remove(segment); // the memtable's from here on
            }
        }

        var pool = Keep(new SegmentPool(storage, directory, databaseId, numbers, RoundedSegment(options.MemtableBytes), options.Durability != Durability.Process));
        var wal = options.ReadOnly
            ? OpenReadOnly(log, recovered)
            : OpenForWriting(manifest, log, recovered, pool, incarnation, stock);
        var version = new Versions.Version(incarnation, [.. recovered.Memtables.AsEnumerable().Reverse()], runs, content.State);
        incarnation.Applied.Publish(recovered.Position);
        foreach (var shared in _acquired) shared.Release();
        _acquired.Clear();
        var durable = recovered.DurableBefore(wal.Synced);
        return new Parts(
            databaseId, numbers, manifest, version, wal, pool, recovered.Snapshot, recovered.CleanedTimeMs, durable,
            new Report(log?.TornBytes ?? 0, recovered.Entries, log?.Ending ?? LogEnding.Clean, isNew));
    }

    private WalWriter OpenReadOnly(RecoveredLog? log, LogReplay recovered)
    {
        if (log is null) throw new FileNotFoundException($"{directory}: the database has no log yet; open it for writing first.", directory);
        foreach (var segment in log.Unused) segment.Dispose();
        _opened.RemoveAll(item => item is WalSegment);
        return new WalWriter(log.Segments[^1], recovered.Position, log.Synced, isSynced: false);
    }

    /// <summary>Goes on in the last segment where the log ended cleanly, and in a new one otherwise; then sweeps what is not needed.</summary>
    private WalWriter OpenForWriting(
        ManifestStore manifest, RecoveredLog? log, LogReplay recovered, SegmentPool pool, Incarnation incarnation, MemtableStock stock)
    {
        manifest.BeginWriting();
        WalWriter wal;
        if (log is null || log.IsSealed || log.Ending == LogEnding.TornTail)
        {
            var next = Keep(pool.Take(WalWriter.NoteSize(24), pool.Length));
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
            if (log is null) manifest.Append(new VersionEdit { NextFileNumber = next.Number + 1, FirstSegment = next.Number });
            _opened.Remove(next);
            var memtable = new Memtable(next, stock);
            _acquired.Add(memtable);
            recovered.Memtables.Add(memtable);
            wal = new WalWriter(next, recovered.Position, new LogOffset(next.Number, next.End), options.Durability == Durability.Power);
        }
        else
        {
            foreach (var segment in log.Segments)
            {
                var from = segment.Number < log.Synced.Segment ? segment.End
                    : segment.Number == log.Synced.Segment ? Math.Min(log.Synced.Offset, segment.End) : WalSegmentHeader.Size;
                segment.Redirty(from, segment.End);
                if (options.Durability == Durability.Power) segment.Sync(); // what was acknowledged is durable, and is to be known as such
            }

            var last = log.Segments[^1];
            var synced = options.Durability == Durability.Power ? new LogOffset(last.Number, last.End) : log.Synced;
            wal = new WalWriter(last, recovered.Position, synced, options.Durability == Durability.Power, log.Segments.Take(log.Segments.Count - 1));
        }

        Sweep(manifest, log, pool);
        return wal;
    }

    /// <summary>Removes what a crash left behind: temporaries, staging directories, files that the manifest does not name. Unknown files stay.</summary>
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
            if (FileNames.IsTemporary(name)
                || (FileNames.TryParse(name, FileNames.TableSuffix, out var table) && !named.Contains(table))
                || (FileNames.TryParse(name, FileNames.ManifestSuffix, out var number) && number != manifest.Number)
                || (FileNames.TryParse(name, FileNames.SegmentSuffix, out var segment) && segment < manifest.Content.FirstSegment && !segments.Contains(segment)))
            {
                storage.Delete(PathOf(name));
            }
            else if (FileNames.IsStaging(name))
            {
                DirectoryTree.Delete(storage, PathOf(name.TrimEnd('/')));
            }
        }
    }

    private int OutcomesKept => options.HistoryEntries + EngineOptions.OutcomesKept;

    private static long RoundedSegment(long bytes) => (bytes + 4095) & ~4095L;

    private static void NoteNumber(FileNumbers numbers, string name)
    {
        var bare = name.EndsWith(FileNames.TemporarySuffix, StringComparison.Ordinal) ? name[..^FileNames.TemporarySuffix.Length] : name;
        foreach (var suffix in (ReadOnlySpan<string>)[FileNames.SegmentSuffix, FileNames.TableSuffix, FileNames.ManifestSuffix])
            if (FileNames.TryParse(bare, suffix, out var number)) numbers.Above(number);
    }

    private PointerFile ReadPointer(string path)
    {
        using var file = storage.Open(path, FileIntent.Read);
        var bytes = new byte[Math.Min(file.Length, PointerFile.Size + 1)];
        file.Read(0, bytes);
        return PointerFile.TryDecode(bytes, out var pointer, out var error) ? pointer : throw DecodeFailure.Of(path, 0, "pointer file", error);
    }

    private T Keep<T>(T item) where T : IDisposable
    {
        _opened.Add(item);
        return item;
    }

    private string PathOf(string name) => Path.Combine(directory, name);
}
