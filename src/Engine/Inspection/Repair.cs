using Varve.Background;
using Varve.Contract;
using Varve.Format;
using Varve.Iterators;
using Varve.Snapshots;
using Varve.Storage;
using Varve.Tables;
using Varve.Versions;

namespace Varve.Inspection;

/// <summary>
/// Saves the readable content of a database or a snapshot into a new database (docs/decisions/0010). Only reads the
/// source. The result has an identity of its own and one run; its first open, which is part of the repair, creates the
/// log.
/// </summary>
internal static class Repair
{
    /// <summary>
    /// Repairs <paramref name="path"/> into <paramref name="output"/>, a directory that is absent or empty.
    /// </summary>
    /// <exception cref="ArgumentException">The output is not empty, or lies inside the source.</exception>
    /// <exception cref="CorruptionException">A packed snapshot has no readable manifest.</exception>
    /// <exception cref="AlreadyOpenException">An engine has the database open.</exception>
    /// <exception cref="UnsupportedFormatException">A part of the source is of a newer build: repair it with that
    /// build.</exception>
    /// <param name="storage">The file system.</param>
    /// <param name="path">Path of the source.</param>
    /// <param name="output">Path of the new database.</param>
    /// <param name="lostClock">The lease clock of the result, if the source has no readable manifest.</param>
    public static RepairReport Run(
        IStorage storage, string path, string output, LeaseClock lostClock = LeaseClock.Local)
    {
        path = storage.ResolveLink(Path.TrimEndingDirectorySeparator(Path.GetFullPath(path)));
        output = Path.TrimEndingDirectorySeparator(Path.GetFullPath(output));
        if (Contains(storage, path, output))
            throw new ArgumentException($"{output}: lies inside the source", nameof(output));
        if (storage.FileExists(output) || (storage.DirectoryExists(output) && storage.List(output).Count > 0))
            throw new ArgumentException($"{output}: exists and is not empty", nameof(output));

        var findings = new Findings();
        var kind = Verification.Check(storage, path, deep: true, findings);
        // Content of a newer build is not damage, and must not be dropped as if it were.
        if (findings.Unsupported is { } unsupported) throw unsupported;
        using var held = kind == PathKind.Database ? DirectoryHold.TryLock(storage, path, new Findings()) : null;
        storage.CreateDirectory(output);
        if (Path.GetDirectoryName(output) is { } parent) storage.SyncDirectory(parent);
        try
        {
            var (state, isExact, losses) = SalvageInto(storage, kind, path, output, lostClock);
            // The open creates the log and deletes the intermediate tables, which nobody has mapped any more.
            LsmStateMachine.Open(output, new EngineOptions { TakesStoredLeaseClock = true }, new EngineSeams(storage))
                .Dispose();
            return new RepairReport(
                findings.Problems, losses, isExact, new LogId(state.LastIndex, state.LastTerm), state.LiveCount);
        }
        catch
        {
            DirectoryTree.Delete(storage, output);
            throw;
        }
    }

    /// <summary>True if a path is the source or lies in it, also by another spelling if case does not count.</summary>
    private static bool Contains(IStorage storage, string source, string path)
    {
        for (var at = path; at is not null; at = Path.GetDirectoryName(at))
        {
            if (!string.Equals(at, source, StringComparison.OrdinalIgnoreCase)) continue;
            return at == source
                || (storage.DirectoryExists(at) && storage.DirectoryExists(source)
                    && storage.List(at).SequenceEqual(storage.List(source)));
        }

        return false;
    }

    private static (MachineState State, bool IsExact, List<Loss> Losses) SalvageInto(
        IStorage storage, PathKind kind, string path, string output, LeaseClock lostClock)
    {
        var id = Guid.NewGuid();
        var numbers = new FileNumbers(1);
        using var salvage = new Salvage(storage, output, id, numbers);
        var (state, isExact) = kind switch
        {
            PathKind.Database => SalvageDatabase(storage, path, salvage, lostClock),
            PathKind.Snapshot => SalvageSnapshot(storage, path, salvage, lostClock),
            _ => SalvagePack(storage, path, salvage),
        };
        return (Write(storage, output, id, numbers, salvage.Runs(), state), isExact, salvage.Losses);
    }

    private static (MachineState State, bool IsExact) SalvageDatabase(
        IStorage storage, string directory, Salvage salvage, LeaseClock lostClock)
    {
        var names = storage.List(directory);
        var root = DatabaseRoot.Read(storage, directory, names, new Findings());
        var named = new HashSet<string>();
        var newest = 0UL;
        foreach (var (order, table) in root.Content?.Runs.SelectMany(run => run) ?? [])
        {
            var name = FileNames.Table(table.Number);
            named.Add(name);
            newest = Math.Max(newest, order);
            salvage.Add(storage, Path.Combine(directory, name), order, table.Number, table);
        }

        if (!root.IsSound)
        {
            salvage.Losses.Add(new Loss(
                root.ManifestName is { } lost ? Path.Combine(directory, lost) : directory, 0,
                "the manifest: tables are ordered by their numbers"));
            foreach (var name in names)
                if (FileNames.TryParse(name, FileNames.TableSuffix, out var number) && !named.Contains(name))
                    salvage.Add(storage, Path.Combine(directory, name), newest + number, number, null);
        }

        var state = root.Content is { HasState: true } content ? content.State : UnknownState(lostClock);
        var isExact = root.IsSound && salvage.IsWhole;
        if (root.FirstSegment is null) return (state, isExact);
        using var log = new SalvagedLog(storage, directory, root, state, isExact, salvage.Losses);
        salvage.AddNewest(log.WriteTo);
        var position = log.Replay.Position;
        isExact &= log.IsWhole;
        return (state with
        {
            LastIndex = position.Index,
            LastTerm = position.Term,
            LogTimeMs = position.LogTimeMs,
            LocalTimeMs = position.LocalTimeMs,
            Mark = log.Replay.Mark,
            CleanedTimeMs = log.Replay.CleanedTimeMs,
            Terms = log.Generation.Terms.UpTo(position.Index),
            Outcomes = log.Generation.Outcomes.UpTo(position.Index, EngineOptions.OutcomesKept),
            Snapshot = isExact && log.Replay.Snapshot is { } snapshot
                ? (snapshot.LastIncluded.Index, snapshot.LastIncluded.Term, snapshot.Checksum.ToArray()) : null,
        }, isExact);
    }

    private static (MachineState State, bool IsExact) SalvageSnapshot(
        IStorage storage, string directory, Salvage salvage, LeaseClock lostClock)
    {
        if (SnapshotCheck.TryReadManifest(storage, directory, new Findings()) is { } manifest)
        {
            foreach (var (order, table) in manifest.Tables)
                salvage.Add(
                    storage, Path.Combine(directory, SnapshotNames.Table(table)), order, table.OriginNumber, table);
            return (manifest.State, salvage.IsWhole);
        }

        salvage.Losses.Add(new Loss(
            Path.Combine(directory, SnapshotNames.Manifest), 0,
            "the manifest: tables are ordered by their numbers, and the index is unknown"));
        foreach (var name in storage.List(directory))
        {
            var dash = name.IndexOf('-', StringComparison.Ordinal);
            if (dash < 12 || !name.EndsWith(SnapshotNames.TableExtension, StringComparison.Ordinal)) continue;
            if (FileNames.TryParse(name[..dash] + FileNames.TableSuffix, FileNames.TableSuffix, out var number))
                salvage.Add(storage, Path.Combine(directory, name), number, number, null);
        }

        return (UnknownState(lostClock), false);
    }

    /// <summary>
    /// The state to start from if none is readable, with a new hash seed, since every table is written anew.
    /// </summary>
    private static MachineState UnknownState(LeaseClock lostClock) =>
        MachineState.Empty(KeyHasher.NewSeed(), (StoredLeaseClock)lostClock);

    private static (MachineState State, bool IsExact) SalvagePack(IStorage storage, string path, Salvage salvage)
    {
        var findings = new Findings();
        // Tables are read from mappings, which outlive the open file.
        using var parts = new FileParts(storage, path);
        using var file = storage.Open(path, FileIntent.Read);
        var pack = new PackReader(file, findings.Report);
        if (SnapshotCheck.OpenPack(pack, path, parts, findings, out var tables) is not { } manifest)
            throw CorruptionException.Of(
                path, 0, CorruptionKind.PackedSnapshot, "no readable manifest, which has the offsets of the tables");
        foreach (var (part, (order, table)) in tables) salvage.Add(parts, part, order, table.OriginNumber, table);
        foreach (var (_, table) in manifest.Tables.Skip(tables.Count))
            // Missing, so a loss.
            salvage.Add(parts, Path.Combine(path, SnapshotNames.Table(table)), 0, table.OriginNumber, table);
        return (manifest.State, salvage.IsWhole);
    }

    /// <summary>
    /// Merges all runs into one, counts its live keys, and makes a database of it. Writes the identity last: a
    /// directory without it is no database.
    /// </summary>
    private static MachineState Write(
        IStorage storage, string directory, Guid id, FileNumbers numbers, Run[] runs, MachineState state)
    {
        var options = new EngineOptions();
        using var batch = new TableSetWriter(
            storage, directory, id, numbers, state.HashSeed, options, options.TableBytes);
        using var cursor = new MergingIterator();
        var live = 0L;
        cursor.Open([], runs, ulong.MaxValue);
        try
        {
            for (cursor.SeekFirst(); cursor.IsValid; cursor.Move())
            {
                if (cursor.Kind == RecordKind.Tombstone) continue;
                if (Liveness.IsLive(cursor.Kind, cursor.Deadline, state.CountedTimeMs)) live++;
                batch.Add(cursor.Key, cursor.Kind, cursor.Deadline, cursor.Value);
            }
        }
        finally
        {
            cursor.Release();
        }

        state = state with { LiveCount = live };
        var tables = batch.Finish(descriptor => FileNames.Table(descriptor.Number));
        var edit = new VersionEdit
        {
            Replace = true,
            NextFileNumber = numbers.Peek,
            FirstSegment = 0,
            State = state,
            Added = [.. tables.Select(table => new AddedTable(1, table.Descriptor))],
        };
        ManifestStore.Create(storage, directory, id, numbers, edit).Dispose();
        DurableFile.Replace(storage, Path.Combine(directory, FileNames.Identity), new PointerFile(id, 0).Encode());
        return state;
    }
}
