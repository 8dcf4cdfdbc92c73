using System.Buffers;
using Varve.Background;
using Varve.Changes;
using Varve.Commit;
using Varve.Compaction;
using Varve.LiveKeys;
using Varve.Reading;
using Varve.Recovery;
using Varve.Runtime;
using Varve.Snapshots;
using Varve.Versions;

namespace Varve;

/// <summary>
/// An embedded LSM engine: the state machine of a Raft group. It serialises applies; reads run on any number of threads
/// and wait for nothing. A directory has one writer and any number of read-only engines beside it.
/// </summary>
public sealed class LsmStateMachine : IStateMachine, IDisposable
{
    private readonly EngineContext _engine;
    private readonly ReadSessions _sessions;
    private readonly PointReads _reads;
    private readonly WalSyncer _syncer;
    private readonly CommitPipeline _commit;
    private readonly LeaseCleaner _cleaner;
    private readonly ChangeFeed _changes;
    private readonly BackgroundScheduler? _background; // a writer's
    private readonly Follower? _follower;              // a read-only engine's
    private readonly SnapshotService _snapshots;
    private readonly StatisticsReader _statistics;
    private readonly EngineShutdown _shutdown;

    private LsmStateMachine(OpenedDatabase opened, EngineSeams seams)
    {
        // The database: files, versions, memory.
        var (parts, wal, supply) = (opened.Recovered, opened.Recovered.Wal, opened.Recovered.Supply);
        var engine = _engine = opened.Engine;
        var options = engine.Options;
        var versions = new VersionSet(
            opened.Storage, opened.Directory, parts.DatabaseId, parts.Numbers, parts.Manifest, parts.Version,
            options.SpareTableBytes);
        var liveKeys = new LiveKeyCounter(parts.Version);
        var history = new History(options.HistoryEntries, options.HistoryBytes, versions.Reclaimer);
        history.Lose(LostChanges.Before(parts.Version));

        // Reads.
        _sessions = new ReadSessions(
            versions, versions.Pins, engine.Clock, engine.State, new ViewClock(options.TimeProvider),
            options.ReadOnly ? null : engine.BackgroundWake);
        _reads = new PointReads(versions, _sessions, liveKeys, engine.State);
        _changes = new ChangeFeed(engine, seams, versions, _sessions, history);

        // Writes.
        var publisher = new Publisher(engine, versions, wal);
        var progress = new FlushProgress(versions);
        _syncer = new WalSyncer(engine, seams, versions, wal, supply, publisher, parts.Durable);
        var buffers = new ChunkBuffers(engine.Allocations);
        var rotation = new MemtableRotation(engine, versions, wal, supply, _syncer, buffers);
        var throttle = new WriteThrottle(engine, seams, versions, supply.Budget, wal, progress);
        _commit = new CommitPipeline(engine, versions, wal, buffers, rotation, publisher, _syncer, throttle);
        _commit.Async = new AsyncApplier(engine, seams, _commit, _syncer, throttle);
        var horizon = new LeaseHorizon(engine, versions, wal, liveKeys);
        _cleaner = new LeaseCleaner(engine, versions, wal, _sessions, liveKeys, horizon, _commit, _syncer);

        // The background of a writer; the follower of a reader.
        if (options.ReadOnly)
        {
            _follower = new Follower(
                engine, versions, history, liveKeys, _syncer, supply, parts.Manifest, parts.Replay);
        }
        else
        {
            var completion = new FlushCompletion(engine, versions, history, wal, supply, _syncer, buffers);
            var jobs = new CompactionScheduler(
                engine, versions, _syncer, liveKeys, horizon, completion, progress, throttle);
            _background = new BackgroundScheduler(
                engine, seams, versions, wal, jobs, progress, completion, supply, rotation, horizon, _syncer);
        }

        // Long tasks, statistics, the end.
        var tasks = new LongRunningTasks(seams);
        _snapshots = new SnapshotService(
            engine, versions, wal, _sessions, history, liveKeys, _commit, rotation, _syncer, progress, tasks);
        _statistics = new StatisticsReader(
            engine, versions, wal, _sessions, history, supply, buffers, _syncer, _changes, parts.TornTailBytes,
            parts.Replay.Entries);
        _shutdown = new EngineShutdown(
            engine, versions, supply, history, _sessions, _commit, _syncer, _background, _follower, tasks, progress,
            _changes, opened.Claim);

        // Calls from rooms below to objects of rooms above them.
        engine.State.Failed = _shutdown.WakeWaiters;
        using (versions.EnterGate()) parts.Replay.UpdateGenerationGateHeld();
    }

    /// <inheritdoc/>
    public bool IsRunning => _engine.State.IsRunning;

    /// <inheritdoc/>
    public LogId LastApplied
    {
        get
        {
            _engine.State.EnsureOpen();
            return _sessions.Position.Id;
        }
    }

    /// <summary>The last entry known to be durable: everything up to it survives a power loss.</summary>
    /// <exception cref="ObjectDisposedException">The engine is closed.</exception>
    public LogId DurableLogId
    {
        get
        {
            _engine.State.EnsureOpen();
            return _syncer.Durable;
        }
    }

    /// <inheritdoc/>
    public SnapshotMetadata? SnapshotMetadata
    {
        get
        {
            _engine.State.EnsureOpen();
            return _snapshots.Last;
        }
    }

    /// <summary>
    /// The number of live keys, exact at one applied index. Its cost grows with the entries applied, and the leases
    /// expired, since the last call.
    /// </summary>
    /// <exception cref="InvalidOperationException">The engine is stopped, or its clock failed.</exception>
    /// <exception cref="CorruptionException">A block that the count reads is damaged.</exception>
    /// <exception cref="ObjectDisposedException">The engine is closed.</exception>
    public long Count => _reads.Count();

    /// <inheritdoc/>
    public bool IsEmpty => Count == 0;

    /// <summary>
    /// Opens the database in a directory, or creates one there, and recovers the state of exactly one applied index.
    /// <see cref="IsRunning"/> is true on return.
    /// </summary>
    /// <param name="directory">The directory, for this database alone; created (mode 0700) if it does not
    /// exist.</param>
    /// <param name="options">The options; null: the defaults.</param>
    /// <exception cref="ArgumentException">An option is out of its range, or the lease clock is not the database's; the
    /// message names it.</exception>
    /// <exception cref="AlreadyOpenException">Another engine has the directory open.</exception>
    /// <exception cref="CorruptionException">A file is missing or damaged.</exception>
    /// <exception cref="UnsupportedFormatException">A file has a newer format.</exception>
    /// <exception cref="StorageFullException">There is no room for the first segment.</exception>
    /// <exception cref="PlatformNotSupportedException">The processor is big endian, or the process is of 32
    /// bits.</exception>
    /// <remarks>After any exception no thread, mapping or lock of the engine is left.</remarks>
    /// <exception cref="IOException">The disk failed.</exception>
    public static LsmStateMachine Open(string directory, EngineOptions? options = null) =>
        Open(directory, options ?? new EngineOptions(), EngineSeams.None);

    /// <summary>Opens in an environment that a test replaces in part.</summary>
    internal static LsmStateMachine Open(string directory, EngineOptions options, EngineSeams seams)
    {
        ArgumentException.ThrowIfNullOrEmpty(directory);
        var opened = OpenedDatabase.Open(directory, options, seams);
        var engine = Build(opened, seams);
        engine.Start(opened);
        return engine;
    }

    private static LsmStateMachine Build(OpenedDatabase opened, EngineSeams seams)
    {
        try
        {
            return new LsmStateMachine(opened, seams);
        }
        catch
        {
            opened.Dispose();
            throw;
        }
    }

    /// <summary>Starts the threads and the user's timers; closes the engine if one of them does not start.</summary>
    private void Start(OpenedDatabase opened)
    {
        try
        {
            _syncer.Start();
            _background?.Start();
            _syncer.Wake();
            _statistics.Publish();
            opened.LogOpened();
        }
        catch
        {
            _shutdown.Run();
            throw;
        }
    }

    /// <inheritdoc/>
    public Task StartAsync(CancellationToken cancellationToken = default)
    {
        _engine.State.Start();
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public void Stop()
    {
        _engine.State.Stop();
        _changes.WakeReaders();
    }

    /// <summary>
    /// Applies an encoded chunk, whole or not at all. docs/FORMAT.md has the encoding. Allocates nothing. Makes no
    /// system call unless the durability requires one, or <see cref="TableAccess.Probed"/> for a compare-and-swap.
    /// </summary>
    /// <param name="encodedChunk">Varint-delimited entries; read during the call only.</param>
    /// <param name="results">Receives one result an entry; at least as many elements as entries.</param>
    /// <returns>The number of entries.</returns>
    /// <exception cref="ArgumentException">The chunk is malformed (the message names the offset),
    /// <paramref name="results"/> is too short, indexes do not increase, terms decrease, or a key or value is outside
    /// its limits.</exception>
    /// <exception cref="LogGapException">The chunk does not follow the last applied entry, under
    /// <see cref="LogGapPolicy.Reject"/>.</exception>
    /// <exception cref="DuplicateEntryException">An entry was applied too long ago for its outcome to be
    /// known.</exception>
    /// <exception cref="StorageFullException">There is no room for the log; nothing changed.</exception>
    /// <exception cref="EngineFaultedException">An earlier failure, or this chunk's sync, left the engine unable to
    /// promise anything.</exception>
    /// <exception cref="InvalidOperationException">The engine is stopped or read-only, or its clock failed.</exception>
    /// <exception cref="ObjectDisposedException">The engine is closed.</exception>
    public int ApplyChunk(ReadOnlySpan<byte> encodedChunk, Span<ApplyResult> results) =>
        _commit.Apply(encodedChunk, results);

    /// <summary>
    /// Applies an encoded chunk, whole or not at all. A sequence of several segments is copied to a pooled buffer
    /// first.
    /// </summary>
    /// <param name="encodedChunk">Varint-delimited entries.</param>
    /// <param name="results">Receives one result an entry.</param>
    /// <returns>The number of entries.</returns>
    /// <inheritdoc cref="ApplyChunk(ReadOnlySpan{byte}, Span{ApplyResult})" path="/exception"/>
    public int ApplyChunk(in ReadOnlySequence<byte> encodedChunk, Span<ApplyResult> results) =>
        _commit.Apply(encodedChunk, results);

    /// <summary>
    /// Applies a chunk of commands, whole or not at all. The state is byte for byte that of the same chunk encoded.
    /// </summary>
    /// <param name="chunk">The entries, in log order.</param>
    /// <param name="results">Receives one result an entry.</param>
    /// <inheritdoc cref="ApplyChunk(ReadOnlySpan{byte}, Span{ApplyResult})" path="/exception"/>
    public void ApplyChunk(ReadOnlySpan<ApplyEntry> chunk, Span<ApplyResult> results) => _commit.Apply(chunk, results);

    /// <summary>
    /// Applies an encoded chunk and replaces the mark of the outer log, both or neither. See
    /// <see cref="ApplyChunk(ReadOnlySpan{ApplyEntry}, Span{ApplyResult}, ReadOnlySpan{byte})"/>.
    /// </summary>
    /// <param name="encodedChunk">Varint-delimited entries; read during the call only.</param>
    /// <param name="results">Receives one result an entry; at least as many elements as entries.</param>
    /// <param name="mark">The mark, at most 64 bytes; empty: there is none from here on.</param>
    /// <returns>The number of entries.</returns>
    /// <exception cref="ArgumentException">The mark is longer than 64 bytes, or what the call without a mark refuses;
    /// nothing changed.</exception>
    /// <inheritdoc cref="ApplyChunk(ReadOnlySpan{byte}, Span{ApplyResult})" path="/exception"/>
    public int ApplyChunk(ReadOnlySpan<byte> encodedChunk, Span<ApplyResult> results, ReadOnlySpan<byte> mark) =>
        _commit.Apply(encodedChunk, results, new MarkChange(mark));

    /// <inheritdoc cref="ApplyChunk(ReadOnlySpan{byte}, Span{ApplyResult}, ReadOnlySpan{byte})"/>
    public int ApplyChunk(
        in ReadOnlySequence<byte> encodedChunk, Span<ApplyResult> results, ReadOnlySpan<byte> mark) =>
        _commit.Apply(encodedChunk, results, new MarkChange(mark));

    /// <summary>
    /// Applies a chunk of commands and replaces the mark of the outer log, both or neither, in memory and after any
    /// crash. Allocates nothing.
    /// </summary>
    /// <remarks>
    /// An entry of an outer log, such as a Raft group's, may carry many commands. The engine's index then counts
    /// commands, and the mark says how far the outer log has been applied. The engine never interprets it. A chunk
    /// without entries, or of duplicates alone, moves the mark alone: a restart may deliver an outer entry again whose
    /// commands were applied. The calls without a mark leave it. Snapshots carry the mark of their index, an install
    /// replaces it, a reset removes it. <see cref="ReadMark"/> reads it.
    /// </remarks>
    /// <param name="chunk">The entries, in log order; may be empty.</param>
    /// <param name="results">Receives one result an entry.</param>
    /// <param name="mark">The mark, at most 64 bytes; empty: there is none from here on.</param>
    /// <exception cref="ArgumentException">The mark is longer than 64 bytes, or what the call without a mark refuses;
    /// nothing changed.</exception>
    /// <inheritdoc cref="ApplyChunk(ReadOnlySpan{byte}, Span{ApplyResult})" path="/exception"/>
    public void ApplyChunk(
        ReadOnlySpan<ApplyEntry> chunk, Span<ApplyResult> results, ReadOnlySpan<byte> mark) =>
        _commit.Apply(chunk, results, new MarkChange(mark));

    /// <summary>
    /// Reads the mark of the outer log at the applied position. A view reads that of its revision
    /// (<see cref="ReadView.ReadMark"/>). Any thread; does not wait.
    /// </summary>
    /// <param name="destination">Receives the mark, or as much of it as fits.</param>
    /// <returns>The mark's length in bytes, at most 64; 0: there is none.</returns>
    /// <exception cref="InvalidOperationException">The engine is stopped.</exception>
    /// <exception cref="ObjectDisposedException">The engine is closed.</exception>
    public int ReadMark(Span<byte> destination) => _reads.ReadMark(destination);

    /// <summary>
    /// Finds the outcome that an entry had when it was applied. At least the outcomes of the last 65,536 entries are
    /// known, across restarts and installs too.
    /// </summary>
    /// <param name="index">The index of the entry.</param>
    /// <param name="result">Its outcome.</param>
    /// <returns>False if no such entry is applied, or its outcome is no longer known.</returns>
    /// <exception cref="InvalidOperationException">The engine is stopped.</exception>
    /// <exception cref="ObjectDisposedException">The engine is closed.</exception>
    public bool TryGetOutcome(ulong index, out ApplyResult result) => _reads.TryGetOutcome(index, out result);

    /// <inheritdoc/>
    public ValueTask<ApplyResult[]> ApplyChunkAsync(
        ReadOnlyMemory<ApplyEntry> chunk, CancellationToken cancellationToken = default) =>
        _commit.Async.ApplyAsync(chunk, cancellationToken);

    /// <inheritdoc/>
    /// <remarks>The move is logged like a chunk, so a close keeps it.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">The index or the term decreases.</exception>
    public void UpdateLastApplied(LogId lastApplied) => _commit.UpdateLastApplied(lastApplied);

    /// <inheritdoc/>
    /// <inheritdoc cref="UpdateLastApplied" path="/exception"/>
    public void PersistLastApplied(LogId lastApplied)
    {
        UpdateLastApplied(lastApplied);
        _syncer.SyncAll();
    }

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">The checksum has not 32 bytes, or the index is 0 and the term is
    /// not.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The snapshot's last entry is not applied.</exception>
    public void UpdateLastSnapshotMetadata(SnapshotMetadata metadata)
    {
        ArgumentNullException.ThrowIfNull(metadata);
        _snapshots.Record(metadata);
    }

    /// <inheritdoc/>
    /// <inheritdoc cref="UpdateLastSnapshotMetadata" path="/exception"/>
    public void PersistLastSnapshotMetadata(SnapshotMetadata metadata)
    {
        UpdateLastSnapshotMetadata(metadata);
        _syncer.SyncAll();
    }

    /// <inheritdoc/>
    public void SaveHardState() => Flush();

    /// <inheritdoc/>
    public void Flush()
    {
        _engine.State.EnsureMutable();
        _syncer.SyncAll();
    }

    /// <inheritdoc/>
    public Task FlushAsync(CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return _commit.FlushAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public byte[]? Get(ReadOnlySpan<byte> key) => _reads.Get(key);

    /// <inheritdoc/>
    public byte[]?[] GetMulti(IReadOnlyList<ReadOnlyMemory<byte>> keys)
    {
        ArgumentNullException.ThrowIfNull(keys);
        return _reads.GetMulti(keys);
    }

    /// <summary>Copies the value of a key, as much of it as fits. Allocates nothing.</summary>
    /// <param name="key">The key.</param>
    /// <param name="destination">Receives the value, or its beginning.</param>
    /// <returns>The value's whole length in bytes, even if it does not fit; -1 if the key is absent.</returns>
    /// <exception cref="InvalidOperationException">The engine is stopped, or its clock failed.</exception>
    /// <exception cref="CorruptionException">A block that holds the key is damaged.</exception>
    /// <exception cref="ObjectDisposedException">The engine is closed.</exception>
    public int Read(ReadOnlySpan<byte> key, Span<byte> destination) => _reads.Read(key, destination);

    /// <summary>Writes the value of a key to a buffer writer. Allocates nothing itself.</summary>
    /// <param name="key">The key.</param>
    /// <param name="destination">Receives the whole value.</param>
    /// <returns>False if the key is absent; then nothing is written.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="destination"/> is null.</exception>
    /// <exception cref="InvalidOperationException">The engine is stopped, or its clock failed.</exception>
    /// <exception cref="CorruptionException">A block that holds the key is damaged.</exception>
    /// <exception cref="ObjectDisposedException">The engine is closed.</exception>
    public bool TryGet(ReadOnlySpan<byte> key, IBufferWriter<byte> destination)
    {
        ArgumentNullException.ThrowIfNull(destination);
        return _reads.TryGet(key, destination);
    }

    /// <inheritdoc/>
    public ScanResult ScanPrefix(ReadOnlySpan<byte> prefix) => _reads.ScanPrefix(prefix);

    /// <inheritdoc/>
    public ScanPage ScanPage(ReadOnlySpan<byte> prefix, ReadOnlySpan<byte> after, int limit)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        return _reads.ScanPage(prefix, after, limit);
    }

    /// <summary>
    /// Gives each applied change from an index on, in order, once, then waits for more. An enumeration never holds up
    /// an applier and keeps nothing alive: one that is too slow for the kept history
    /// (<see cref="EngineOptions.HistoryEntries"/>) ends with an exception. Any number of enumerations, on any threads.
    /// </summary>
    /// <remarks>
    /// Each entry with an effect makes one change; one whose condition failed, a no-op and a refused one make none. A
    /// <see cref="ChangeKind.Expired"/> comes where a lease clean-up reported a key, after the change of the index that
    /// was applied then; its index is that one, so that several changes may have one index. To go on after a change,
    /// begin at its index and skip the changes of that index that were processed: the order never differs. A change is
    /// given once it is visible to reads, and under <see cref="Durability.Power"/> durable. A read-only engine gives
    /// more changes after <see cref="TryCatchUp"/>.
    /// </remarks>
    /// <param name="fromIndex">The first index; one that is not applied yet is waited for. 0 is taken as 1.</param>
    /// <param name="prefix">The beginning of the keys whose changes count; empty: all. Copied by this call.</param>
    /// <param name="cancellationToken">Ends the enumeration with an <see cref="OperationCanceledException"/>.</param>
    /// <exception cref="ChangesLostException">The enumeration throws it: the log no longer has the next
    /// change, or a reset took the index back.</exception>
    /// <exception cref="ObjectDisposedException">The enumeration throws it: the engine is closed.</exception>
    /// <exception cref="InvalidOperationException">The enumeration throws it: the engine is stopped.</exception>
    /// <exception cref="EngineFaultedException">The enumeration throws it in place of waiting: a failure is
    /// latched.</exception>
    public IAsyncEnumerable<Change> ReadChangesAsync(
        ulong fromIndex, ReadOnlyMemory<byte> prefix = default, CancellationToken cancellationToken = default) =>
        _changes.ReadAsync(fromIndex, prefix, cancellationToken);

    /// <summary>
    /// Opens a view of the present state. All its reads are of one revision, and its spans point into the engine's
    /// memory. Use and dispose it on this thread. An open view keeps the memtables and tables that it reads, and
    /// nothing written later; <see cref="EngineStatistics.OpenViews"/>, <see cref="EngineStatistics.OldestViewAge"/>
    /// and <see cref="EngineStatistics.OldestViewBytes"/> show how much.
    /// </summary>
    /// <exception cref="InvalidOperationException">The engine is stopped.</exception>
    /// <exception cref="ObjectDisposedException">The engine is closed.</exception>
    public ReadView OpenView() => _sessions.OpenView();

    /// <summary>
    /// Moves a read-only engine to the present state of the directory. Until the next call it shows exactly that state.
    /// Open views keep theirs; reads on other threads do not wait. The cost grows with what was written since the last
    /// call. If the writer has flushed entries that this engine had not read, has installed a snapshot or was reset, it
    /// costs as much as an open, without the tables that are open. Any thread; one call at a time.
    /// </summary>
    /// <returns>True if the engine shows another state now.</returns>
    /// <exception cref="InvalidOperationException">The engine is the writer, or is stopped.</exception>
    /// <exception cref="CorruptionException">A file is damaged; the engine shows the state of one applied
    /// index.</exception>
    /// <exception cref="UnsupportedFormatException">The writer is of a newer build.</exception>
    /// <exception cref="IOException">The disk failed.</exception>
    /// <exception cref="ObjectDisposedException">The engine is closed.</exception>
    public bool TryCatchUp()
    {
        if (_follower is null)
            throw new InvalidOperationException(
                "Only a read-only engine catches up with its writer; this engine is the writer.");
        return _follower.TryCatchUp();
    }

    /// <summary>
    /// Flushes the memtable and merges all runs into one, which drops deletes, and expired leases that a clean-up has
    /// reported or no longer reports.
    /// </summary>
    /// <param name="cancellationToken">Cancels the wait, not the work.</param>
    /// <exception cref="StorageFullException">The task fails with it: the disk is full. Nothing is lost; free space and
    /// call again.</exception>
    /// <exception cref="InvalidOperationException">The engine is read-only.</exception>
    /// <exception cref="EngineFaultedException">The task fails with it: a failure left a promise in doubt.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">The engine is closed.</exception>
    public Task CompactAsync(CancellationToken cancellationToken = default)
    {
        if (_background is null) _engine.State.EnsureMutable();
        return _background!.CompactAsync(cancellationToken);
    }

    /// <summary>
    /// Reports the keys whose leases have expired, in ascending order, each lease once, across flushes, compactions,
    /// reopens, snapshots and installs. Reads do not find a key from the moment at which its lease expires. Compactions
    /// drop reported leases.
    /// </summary>
    /// <remarks>
    /// It reports leases that expired within the last <see cref="EngineOptions.ExpiredLeaseRetention"/>. Under
    /// <see cref="LeaseClock.Log"/>, replicas that call this at the same index report the same keys. The report is
    /// logged before the task completes, durably under <see cref="Durability.Power"/>; if the process dies in between,
    /// no later call repeats it.
    /// </remarks>
    /// <param name="cancellationToken">Cancels the call before it begins.</param>
    /// <exception cref="InvalidOperationException">The state machine is stopped, or read-only.</exception>
    /// <exception cref="CorruptionException">A block that the search reads is damaged.</exception>
    /// <exception cref="StorageFullException">There is no space for the log; nothing changed.</exception>
    /// <exception cref="EngineFaultedException">An earlier failure left a promise in doubt.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">The engine is closed.</exception>
    public Task<IReadOnlyList<ReadOnlyMemory<byte>>> LeaseBackgroundCleanupAsync(
        CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return _cleaner.CleanUpAsync();
    }

    /// <inheritdoc/>
    /// <exception cref="ArgumentException"><paramref name="lastIncluded"/> is not an applied entry, or is older than
    /// <see cref="EngineOptions.HistoryEntries"/>.</exception>
    /// <exception cref="IOException">The directory is not empty, or the disk failed; no file of the snapshot is
    /// left.</exception>
    /// <remarks>
    /// A read-only engine creates snapshots too. It writes nothing to the database, so <see cref="SnapshotMetadata"/>
    /// does not change. A snapshot on another disk needs no space on the database's. If the database's disk is full,
    /// <see cref="SnapshotMetadata"/> shows the new snapshot at once, but a flush makes that durable; after an earlier
    /// crash an open shows the one before.
    /// </remarks>
    public Task<ReadOnlyMemory<byte>> GenerateSnapshotDataAsync(
        string newSnapshotDirectory, LogId lastIncluded, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(newSnapshotDirectory);
        cancellationToken.ThrowIfCancellationRequested();
        return _snapshots.CreateAsync(newSnapshotDirectory, lastIncluded, cancellationToken);
    }

    /// <inheritdoc/>
    /// <exception cref="SnapshotRejectedException">The snapshot differs from <paramref name="metadata"/>, is damaged,
    /// or is older than the present state.</exception>
    /// <exception cref="UnsupportedFormatException">The snapshot is intact, and of a newer build.</exception>
    /// <exception cref="OutOfMemoryException">There is no memory for the new state; the engine keeps the old
    /// one.</exception>
    /// <exception cref="ArgumentException">The index in <paramref name="metadata"/> is 0 and the term is
    /// not.</exception>
    public Task ApplySnapshotFromFileAsync(
        SnapshotMetadata metadata, string snapshotPath, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(metadata);
        ArgumentException.ThrowIfNullOrEmpty(snapshotPath);
        return _snapshots.Installs.InstallAsync(metadata, snapshotPath, cancellationToken);
    }

    /// <summary>
    /// Makes a snapshot of the state at exactly one index, as <see cref="GenerateSnapshotDataAsync"/> does, and returns
    /// its position and checksum.
    /// </summary>
    /// <param name="directory">The directory to make; it must not exist, or be empty.</param>
    /// <param name="lastIncluded">The last entry to include; null: the last applied one at the call.</param>
    /// <param name="cancellationToken">Cancels the snapshot; nothing of it is left.</param>
    /// <inheritdoc cref="GenerateSnapshotDataAsync" path="/exception"/>
    public Task<SnapshotMetadata> CreateSnapshotAsync(
        string directory, LogId? lastIncluded = null, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(directory);
        cancellationToken.ThrowIfCancellationRequested();
        return _snapshots.CreateSnapshotAsync(directory, lastIncluded, cancellationToken);
    }

    /// <summary>
    /// Does everything of an install that costs by the size of the snapshot: copies its tables into the database's
    /// directory, verifies and syncs them. The state is unchanged until <see cref="StagedSnapshot.Install"/>. Dispose
    /// the result.
    /// </summary>
    /// <param name="metadata">Position and checksum that the snapshot must have.</param>
    /// <param name="path">A snapshot's directory, or a packed file.</param>
    /// <param name="cancellationToken">Cancels the copying; nothing of it is left.</param>
    /// <inheritdoc cref="ApplySnapshotFromFileAsync" path="/exception"/>
    public Task<StagedSnapshot> StageSnapshotAsync(
        SnapshotMetadata metadata, string path, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(metadata);
        ArgumentException.ThrowIfNullOrEmpty(path);
        cancellationToken.ThrowIfCancellationRequested();
        return _snapshots.Installs.StageAsync(metadata, path, cancellationToken);
    }

    /// <summary>
    /// Hard-links a table of the present state into a snapshot that a receiver assembles, so that only the tables that
    /// it lacks are transferred. The link is durable and read-only on return.
    /// </summary>
    /// <param name="file">The table, by its hash and length; see <see cref="SnapshotDirectory.Files"/>.</param>
    /// <param name="destination">The path to make, which must not exist, in a directory that does.</param>
    /// <returns>False if the present state has no such table, or the file system has no links to there.</returns>
    /// <exception cref="ArgumentException">The path is empty, or the hash has not 16 bytes.</exception>
    /// <exception cref="DirectoryNotFoundException">The directory of <paramref name="destination"/> does not exist; the
    /// message names it.</exception>
    /// <exception cref="IOException">The path exists, or the disk failed.</exception>
    /// <exception cref="ObjectDisposedException">The engine is closed.</exception>
    public bool TryLinkSnapshotFile(SnapshotFile file, string destination)
    {
        ArgumentNullException.ThrowIfNull(file);
        ArgumentException.ThrowIfNullOrEmpty(destination);
        return _snapshots.TryLink(file, destination);
    }

    /// <inheritdoc/>
    public Task ResetAsync(CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return _snapshots.Installs.ResetAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public ulong? EntryTerm(ulong index)
    {
        _engine.State.EnsureOpen();
        return _reads.EntryTerm(index);
    }

    /// <summary>Reads the engine's counters and sizes; cheap enough to poll.</summary>
    /// <exception cref="ObjectDisposedException">The engine is closed.</exception>
    public EngineStatistics GetStatistics() => _statistics.Read();

    /// <summary>
    /// Closes the engine: makes everything applied durable, if the disk allows it, unlocks the directory and releases
    /// mappings. Later calls throw <see cref="ObjectDisposedException"/>. An open view keeps what it reads until it is
    /// disposed. A large log segment with little data is flushed and replaced by a small one. May be called more than
    /// once, on any thread; each call returns when the directory is unlocked.
    /// </summary>
    public void CloseStorage()
    {
        // EngineShutdown has the steps, with their reasons.
        _statistics.Withdraw();
        _shutdown.Run();
        _engine.Log.Emit();
        _engine.Telemetry.Emit();
    }

    /// <summary>Closes the engine as <see cref="CloseStorage"/> does.</summary>
    public void Dispose() => CloseStorage();

    /// <summary>Closes the engine as <see cref="CloseStorage"/> does, on a thread of the pool.</summary>
    public ValueTask DisposeAsync() =>
        _engine.State.IsReleased ? ValueTask.CompletedTask : new ValueTask(Task.Run(CloseStorage));

    /// <summary>Takes a reference to the current version, whose files an inspection reads.</summary>
    internal DbVersion AcquireVersion() => _sessions.AcquireCurrent();

    /// <inheritdoc cref="BackgroundScheduler.Interval"/>
    internal TimeSpan BackgroundInterval() => _background!.Interval();
}
