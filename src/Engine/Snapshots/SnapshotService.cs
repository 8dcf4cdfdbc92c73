using System.Diagnostics;
using Varve.Background;
using Varve.Commit;
using Varve.Diagnostics;
using Varve.Format;
using Varve.LiveKeys;
using Varve.Reading;
using Varve.Runtime;
using Varve.Storage;
using Varve.Versions;
using Varve.Wal;

namespace Varve.Snapshots;

/// <summary>
/// Makes snapshots, installs them, and resets: the long tasks that copy or replace the whole state.
/// <para>
/// The problem of a snapshot: Raft asks for the state at an index that is behind the last applied one by the time the
/// call arrives, applies continue, and the state may be larger than memory.
/// </para>
/// <list type="number">
/// <item>The cut is fixed on the caller's thread: a version that has the index, acquired from the history
/// (<see cref="History"/>). Later flushes and compactions cannot take its tables away (I8).</item>
/// <item>Tables up to the cut are linked. If due flushes would write only rows up to the cut, the snapshot waits for
/// them briefly, and links their tables instead of writing the same rows again.</item>
/// <item>The snapshot appears under its name whole and durable, or not at all (<see cref="SnapshotBuilder"/>). A call
/// that fails leaves nothing behind.</item>
/// <item>The engine records a snapshot after it is durable, and only if the state is still of the same generation. The
/// recorded snapshot never goes back.</item>
/// </list>
/// <para>
/// The obvious designs are a pause of applies, which loses by its length, and a scan of a view at the cut, which
/// rewrites the whole state at each snapshot and loses by its bytes.
/// </para>
/// <para>
/// Threads: any. Snapshots run beside each other, each on a thread of low priority; one install or reset at a time
/// (<see cref="StateReplacement"/>).
/// </para>
/// </summary>
internal sealed class SnapshotService
{
    /// <summary>
    /// Longest wait of a snapshot for one flush: several times the usual duration. A wait behind a long compaction
    /// costs more than the rows that it saves.
    /// </summary>
    private static readonly TimeSpan FlushWaitMax = TimeSpan.FromSeconds(2);

    private readonly EngineContext _engine;
    private readonly VersionSet _versions;
    private readonly ReadSessions _sessions;
    private readonly History _history;
    private readonly SnapshotRecorder _recorder;
    private readonly FlushProgress _progress;
    private readonly LongRunningTasks _tasks;

    public SnapshotService(
        EngineContext engine,
        VersionSet versions,
        WalWriter wal,
        ReadSessions sessions,
        History history,
        LiveKeyCounter liveKeys,
        CommitPipeline commit,
        MemtableRotation rotation,
        WalSyncer syncer,
        FlushProgress progress,
        LongRunningTasks tasks)
    {
        _engine = engine;
        _versions = versions;
        _sessions = sessions;
        _history = history;
        _recorder = new SnapshotRecorder(engine, versions, commit, syncer);
        Installs = new InstallService(
            engine, sessions, new StateReplacement(engine, versions, wal, history, liveKeys, rotation, syncer), tasks);
        _progress = progress;
        _tasks = tasks;
    }

    /// <inheritdoc cref="LsmStateMachine.SnapshotMetadata"/>
    public SnapshotMetadata? Last => _versions.Current.Generation.Snapshots.Last;

    /// <summary>Installs snapshots, and resets.</summary>
    public InstallService Installs { get; }

    /// <inheritdoc cref="LsmStateMachine.GenerateSnapshotDataAsync"/>
    public Task<ReadOnlyMemory<byte>> CreateAsync(
        string directory, LogId lastIncluded, CancellationToken cancellationToken)
    {
        // Here, on the caller's thread and without the gate: applies continue, and the history is short.
        EnsureTerm(lastIncluded, nameof(lastIncluded));
        return CreateAsync(AcquireVersionAt(lastIncluded), lastIncluded, directory, cancellationToken);
    }

    /// <inheritdoc cref="LsmStateMachine.CreateSnapshotAsync"/>
    public async Task<SnapshotMetadata> CreateSnapshotAsync(
        string directory, LogId? lastIncluded, CancellationToken cancellationToken)
    {
        if (lastIncluded is { } asked) EnsureTerm(asked, nameof(lastIncluded));
        // Without an index the cut is that of the version: a reset may come between two looks.
        var version = lastIncluded is { } given ? AcquireVersionAt(given) : AcquireCurrent(out given);
        return new SnapshotMetadata(
            given, await CreateAsync(version, given, directory, cancellationToken).ConfigureAwait(false));
    }

    private async Task<ReadOnlyMemory<byte>> CreateAsync(
        DbVersion version, LogId cut, string directory, CancellationToken cancellationToken)
    {
        var begun = false;
        try
        {
            var target = Path.TrimEndingDirectorySeparator(Path.GetFullPath(directory));
            return await _tasks.RunDeferrable(
                "Varve snapshot",
                token =>
                {
                    begun = true;
                    return GenerateTimed(version, target, cut, token);
                },
                cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            if (!begun) version.Release();
        }
    }

    /// <inheritdoc cref="LsmStateMachine.TryLinkSnapshotFile"/>
    public bool TryLink(SnapshotFile file, string destination) =>
        new LiveTables(_versions, _sessions).TryLink(file, destination);

    /// <summary>Takes a reference to the current version, and reads its applied position with it.</summary>
    private DbVersion AcquireCurrent(out LogId applied)
    {
        var slot = _sessions.Enter();
        try
        {
            while (true)
            {
                _engine.State.EnsureNotFaulted();
                var current = _versions.ReadPoint(out var position);
                applied = position.Id;
                if (current.TryAcquire()) return current;
            }
        }
        finally
        {
            _sessions.Leave(slot);
        }
    }

    private DbVersion AcquireVersionAt(LogId lastIncluded)
    {
        var slot = _sessions.Enter();
        try
        {
            while (true)
            {
                _engine.State.EnsureNotFaulted();
                var current = _versions.ReadPoint(out var applied);
                if (lastIncluded.Index > applied.Index)
                    throw new ArgumentOutOfRangeException(
                        nameof(lastIncluded), lastIncluded,
                        $"Entry {lastIncluded.Index} is not applied yet; the last applied one is {applied.Index}.");
                var term = lastIncluded.Index == applied.Index
                    ? applied.Term
                    : current.Generation.Terms.Find(lastIncluded.Index);
                if (lastIncluded.Index > 0 && term != lastIncluded.Term)
                    throw new ArgumentException(
                        $"Index {lastIncluded.Index} has "
                            + $"{(term is null ? "no entry or no known term" : $"term {term}")}, not term "
                            + $"{lastIncluded.Term}.",
                        nameof(lastIncluded));
                var isTooFar = applied.Index - lastIncluded.Index > (ulong)_engine.Options.HistoryEntries;
                if (!isTooFar && _history.TryAcquire(current, lastIncluded.Index) is { } version) return version;
                if (current != _versions.Current) continue; // a flush, an install or a reset came between
                throw new ArgumentOutOfRangeException(
                    nameof(lastIncluded), lastIncluded,
                    $"Entry {lastIncluded.Index} is too far behind {applied.Index}: "
                        + $"{nameof(EngineOptions.HistoryEntries)} is "
                        + $"{_engine.Options.HistoryEntries}, and history begins anew at open.");
            }
        }
        finally
        {
            _sessions.Leave(slot);
        }
    }

    private ReadOnlyMemory<byte> GenerateTimed(
        DbVersion version, string target, LogId lastIncluded, CancellationToken token)
    {
        try
        {
            return _engine.Telemetry.Run(Work.Snapshot, facts =>
            {
                facts.Index = lastIncluded.Index;
                return Generate(version, target, lastIncluded, facts, token);
            });
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            _engine.Log.Post(logger => Log.SnapshotFailed(logger, e, lastIncluded.Index, target));
            throw;
        }
    }

    private ReadOnlyMemory<byte> Generate(
        DbVersion version, string target, LogId lastIncluded, WorkFacts facts, CancellationToken token)
    {
        try
        {
            if (!_engine.Options.ReadOnly) AwaitFlushes(ref version, lastIncluded.Index, token);
            var live = StateCounts.AtCut(version, lastIncluded.Index);
            var position = CutPosition.At(version, lastIncluded.Index, out var mark);
            // An index in a gap has the position of the entry before it, under its own index and term.
            position = position with { Index = lastIncluded.Index, Term = lastIncluded.Term };
            MachineState state;
            using (_versions.EnterGate())
            {
                state = version.Generation.DescribeGateHeld(
                    position, mark, version.CleanedAt(lastIncluded.Index), live, version.Base.CountedTimeMs) with
                {
                    Snapshot = null
                };
            }

            // File numbers are the writer's (I6). The tail of a reader has an origin of its own.
            var (origin, numbers) = _engine.Options.ReadOnly
                ? (Guid.NewGuid(), new FileNumbers(1))
                : (_versions.DatabaseId, _versions.Numbers);
            var builder = new SnapshotBuilder(
                _versions.Storage, _versions.DatabaseId, origin, numbers, _engine.Options, version, lastIncluded.Index,
                token);
            var checksum = builder.Build(target, state, out var tables);
            _engine.Counters.AddSnapshotBytes(builder.BytesWritten);
            facts.Bytes = builder.BytesWritten;
            facts.Rows = live;
            var count = tables;
            _engine.Log.Post(logger => Log.SnapshotMade(logger, lastIncluded.Index, target, count));
            if (_engine.Options.ReadOnly) return checksum;
            try
            {
                _recorder.RecordMade(version.Generation, new SnapshotMetadata(lastIncluded, checksum));
            }
            catch
            {
                builder.Delete(); // a call that fails leaves nothing behind
                throw;
            }

            return checksum;
        }
        finally
        {
            version.Release();
        }
    }

    /// <summary>
    /// Replaces the version by the one after each due flush, as long as the flush writes nothing above the index: the
    /// snapshot then links the flushed tables instead of writing their rows again. Best effort: if a flush does not
    /// come, or one too many has, the cut is made from the held memtables.
    /// </summary>
    private void AwaitFlushes(ref DbVersion version, ulong index, CancellationToken token)
    {
        while (version.Memtables is [_, .., var oldest] && oldest.Last!.Value.Index <= index)
        {
            var start = Stopwatch.GetTimestamp();
            try
            {
                _progress.WaitForFlush(oldest, () => token.IsCancellationRequested || _engine.State.HasEnded
                    || Stopwatch.GetElapsedTime(start) > FlushWaitMax);
            }
            catch (IOException e) when (Shortage.IsMet(e))
            {
                return; // the database's disk is full, the snapshot's may be another
            }

            token.ThrowIfCancellationRequested();
            var next = _sessions.AcquireCurrent();
            var isSame = next.Generation == version.Generation && next.Base.LastIndex <= index
                && next.Memtables[^1] != oldest;
            (isSame ? version : next).Release();
            if (!isSame) return;
            version = next;
        }
    }

    /// <inheritdoc cref="LsmStateMachine.UpdateLastSnapshotMetadata"/>
    public void Record(SnapshotMetadata metadata) => _recorder.Record(metadata);

    /// <exception cref="ArgumentException">Index 0 has a term.</exception>
    internal static void EnsureTerm(LogId lastIncluded, string name)
    {
        if (lastIncluded is { Index: 0, Term: not 0 })
            throw new ArgumentException($"Index 0 has term 0, not {lastIncluded.Term}.", name);
    }
}
