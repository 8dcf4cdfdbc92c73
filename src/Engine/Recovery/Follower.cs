using Varve.Commit;
using Varve.Epochs;
using Varve.LiveKeys;
using Varve.Memtables;
using Varve.Runtime;
using Varve.Tables;
using Varve.Versions;
using Varve.Wal;

namespace Varve.Recovery;

/// <summary>
/// Moves a read-only engine to the writer's present state by repeating the writer's steps: it appends to the memtable
/// of the last segment, adds memtables for later segments, publishes, and then switches to the tables that the manifest
/// names, keeping those that are open. If the writer dropped the log meanwhile (an install, a reset, or flushes faster
/// than this reader) it starts over, as an open does. One thread at a time; readers never wait.
/// </summary>
/// <param name="engine">The reader.</param>
/// <param name="versions">The reader's versions; only this class changes them.</param>
/// <param name="history">Keeps the memtables of flushed entries, as the writer's does.</param>
/// <param name="liveKeys">Counts the reader's keys.</param>
/// <param name="syncer">Shows the durable position.</param>
/// <param name="supply">Makes memtables over the writer's segments.</param>
/// <param name="manifest">The manifest of the present version.</param>
/// <param name="replay">The log up to the present position.</param>
internal sealed class Follower(
    EngineContext engine, VersionSet versions, History history, LiveKeyCounter liveKeys, WalSyncer syncer,
    MemtableSupply supply, ManifestStore manifest, WalReplayer replay)
{
    private readonly EngineOptions _options = engine.Options;
    private readonly RankedLock _catchingUp = new(LockOrder.CatchUp);
    private ManifestStore _manifest = manifest;
    private bool _isHalfRead; // an attempt failed after it had replayed a part of the log's new records

    /// <summary>The log up to the present position.</summary>
    public WalReplayer Replay { get; private set; } = replay;

    /// <summary>The last entry known to be durable.</summary>
    public LogId Durable { get; private set; }

    /// <inheritdoc cref="LsmStateMachine.TryCatchUp"/>
    public bool TryCatchUp()
    {
        using (_catchingUp.Enter())
        {
            engine.State.EnsureReadable();
            var hasMoved = CatchUp();
            using (versions.EnterGate())
            {
                Replay.UpdateGenerationGateHeld();
                engine.Clock.Raise(Replay.LocalTimeMinMs(_options.LeaseClock));
                syncer.RestartGateHeld(Durable);
            }

            engine.Changes.Raise();
            return hasMoved;
        }
    }

    /// <summary>
    /// Waits for a catch-up that is under way, after the state is closed. Later ones see the close.
    /// </summary>
    public void WaitForCatchUp()
    {
        using (_catchingUp.Enter())
        {
            // The one that is under way has ended.
        }
    }

    /// <summary>Moves to the writer's present state; false if the engine shows it already.</summary>
    /// <exception cref="CorruptionException">A file is damaged, and not because the writer is changing it. The engine
    /// shows the state of one applied index.</exception>
    private bool CatchUp()
    {
        var (before, position, mark) = (Replay, Replay.Position, Replay.Mark);
        DirectoryLook.Beside(versions.Storage, versions.Directory, Step);
        versions.Reclaimer.FreeRetired();
        return before != Replay || position != Replay.Position || mark != Replay.Mark;
    }

    private bool Step()
    {
        var current = DirectoryLook.ReadCurrent(versions.Storage, versions.Directory, versions.DatabaseId);
        // The manifest first: the log, read after it, reaches at least as far as the manifest's tables.
        var manifest = _manifest.IsCurrent(current)
            ? _manifest
            : ManifestStore.Load(versions.Storage, versions.Directory, current, versions.Numbers);
        var known = OpenTables();
        Run[] runs = [];
        try
        {
            if (manifest != _manifest)
                runs = RunOpener.Open(
                    versions.Storage, versions.Directory, manifest.Content.Runs, manifest.Content.State.HashSeed,
                    _options, known);
            using var growth = LogGrowth.Find(
                versions.Storage, versions.Directory, versions.DatabaseId, versions.Current.Memtables[0].Segment);
            var isOther = manifest.Content.State.HashSeed != versions.Current.Generation.HashSeed;
            if (_isHalfRead || isOther) return StartOver(known);
            if (!Reaches(growth, manifest.Content.FirstSegment))
            {
                _isHalfRead = true;
                Replay.Extend(versions.Current.Memtables[0], growth.End); // for readers of changes
                return StartOver(known);
            }

            growth.ThrowIfMissing();
            _isHalfRead = true;
            Extend(growth);
            _isHalfRead = false;
            if (manifest != _manifest) SwitchToTables(manifest, runs);
            return true;
        }
        finally
        {
            foreach (var table in runs.SelectMany(run => run.Tables)) table.Release();
            foreach (var table in known.Values) table.Release();
        }
    }

    /// <summary>
    /// True if the present log leads to the manifest's first segment; if not, it is another log.
    /// </summary>
    private bool Reaches(LogGrowth growth, ulong first) =>
        versions.Current.Memtables.Any(memtable => memtable.Segment.Number == first)
        || growth.Segments.Any(segment => segment.Number == first);

    private void Extend(LogGrowth growth)
    {
        var current = versions.Current;
        var generation = current.Generation;
        Replay.Extend(current.Memtables[0], growth.End);
        if (growth.Segments.Count > 0)
        {
            var memtables = new List<Memtable>(current.Memtables);
            var made = new List<Memtable>();
            try
            {
                while (growth.DequeueNext() is { } segment)
                {
                    made.Add(Replay.Replay(segment));
                    memtables.Insert(0, made[^1]);
                }

                Switch(new DbVersion(generation, [.. memtables], current.Runs, current.Base));
            }
            finally
            {
                foreach (var memtable in made) memtable.Release();
            }
        }

        // After the version that has everything up to it (I1), and before one whose tables may have more.
        Publisher.Recovered(generation, Replay.Position, Replay.Mark, versions.Current.Memtables[0].Segment);
        Durable = Replay.UpdateDurable(growth.Synced, _manifest.Content.State);
    }

    /// <summary>Switches to the manifest's tables, without the memtables that they replace.</summary>
    private void SwitchToTables(ManifestStore manifest, Run[] runs)
    {
        var current = versions.Current;
        var content = manifest.Content;
        var next = new DbVersion(
            current.Generation,
            [.. current.Memtables.Where(memtable => memtable.Segment.Number >= content.FirstSegment)],
            runs,
            DatabaseOpener.CountedNow(_options, content.State, runs));
        KeepFlushed(current, content.FirstSegment);
        liveKeys.Rebase(next);
        Switch(next);
        _manifest = manifest;
        Replay.Memtables.RemoveAll(memtable => memtable.Segment.Number < content.FirstSegment);
        Durable = Replay.UpdateDurable(synced: null, content.State);
    }

    private bool StartOver(Dictionary<ulong, TableHandle> known)
    {
        var look = DirectoryLook.Take(
            versions.Storage, versions.Directory, versions.DatabaseId, versions.Numbers, _options, known);
        var state = DatabaseOpener.CountedNow(_options, look.Manifest.Content.State, look.Runs);
        var log = look.Log!; // a manifest that has named a first segment always names one
        var generation = new StateGeneration(state, _options.HistoryEntries + EngineOptions.OutcomesKept);
        var replay = new WalReplayer(generation, state, supply.Indexes, supply.Segments);
        var unread = new Queue<WalSegment>(log.Segments);
        try
        {
            while (unread.TryPeek(out var segment))
            {
                replay.Replay(segment);
                unread.Dequeue();
            }

            var next = new DbVersion(generation, [.. replay.Memtables.AsEnumerable().Reverse()], look.Runs, state);
            Publisher.Recovered(generation, replay.Position, replay.Mark, next.Memtables[0].Segment);
            liveKeys.Rebase(next);
            KeepOrLoseChanges(versions.Current, next);
            Switch(next);
            (_manifest, Replay, _isHalfRead) = (look.Manifest, replay, false);
            Durable = replay.UpdateDurable(log.Synced, state);
            return true;
        }
        finally
        {
            foreach (var segment in unread.Concat(log.Unused)) segment.Dispose();
            foreach (var memtable in replay.Memtables) memtable.Release();
            foreach (var table in look.Runs.SelectMany(run => run.Tables)) table.Release();
        }
    }

    /// <summary>Keeps what the writer has flushed, for cuts and readers of changes slightly behind.</summary>
    private void KeepFlushed(DbVersion replaced, ulong firstSegment)
    {
        Memtable[] flushed = [.. replaced.Memtables.Where(memtable => memtable.Segment.Number < firstSegment)];
        if (flushed is not [var newest, ..]) return;
        using (versions.EnterGate())
        {
            var past = new DbVersion(replaced.Generation, flushed, replaced.Runs, replaced.Base);
            history.Add(past);
            past.Release();
            history.DropBehind(newest.Last!.Value.Index, Replay.Position.Index);
        }
    }

    /// <summary>
    /// Keeps the changes that only the old log has, if the new one continues it: it has the old one's last segment, or
    /// its tables have exactly what the old one had. Otherwise there may be a gap between them, or a reset.
    /// </summary>
    private void KeepOrLoseChanges(DbVersion old, DbVersion next)
    {
        var (last, position) = (old.Memtables[0].Segment.Number, Replay.Position);
        var continues = next.Memtables.Any(memtable => memtable.Segment.Number == last)
            || (next.Base.LastIndex == position.Index && next.Base.LastTerm == position.Term
                && next.Base.LogTimeMs == position.LogTimeMs && next.Base.CleanedTimeMs == Replay.CleanedTimeMs);
        next.Generation.Line = continues ? old.Generation.Line : old.Generation.Line + 1;
        if (continues)
        {
            if (old.Memtables[0].Last is null) old.Memtables[0].Seal(position, Replay.Mark);
            KeepFlushed(old, next.Memtables[^1].Segment.Number);
            return;
        }

        using (versions.EnterGate())
        {
            history.DropAll();
            history.Lose(LostChanges.Before(next));
        }
    }

    private void Switch(DbVersion next)
    {
        using (versions.EnterGate()) versions.SwitchGateHeld(next);
    }

    /// <summary>The present version's tables by number; the caller has one reference to each.</summary>
    private Dictionary<ulong, TableHandle> OpenTables()
    {
        var tables = versions.Current.Runs.SelectMany(run => run.Tables).ToDictionary(table => table.Descriptor.Number);
        foreach (var table in tables.Values) table.Acquire();
        return tables;
    }
}
