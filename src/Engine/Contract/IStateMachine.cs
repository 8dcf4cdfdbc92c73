namespace Varve;

/// <summary>
/// The state machine of a Raft group: d-engine's <c>StateMachine</c> trait. Any thread may call any member. The state
/// machine serialises applies; reads do not wait for them. After <see cref="Stop"/>, reads and applies throw
/// <see cref="InvalidOperationException"/> until <see cref="StartAsync"/>; after <see cref="CloseStorage"/> or disposal
/// every member throws <see cref="ObjectDisposedException"/>, except <see cref="IsRunning"/>, <see cref="Stop"/> and
/// those that close.
/// </summary>
public interface IStateMachine : IAsyncDisposable
{
    /// <summary>Serves, or serves again after <see cref="Stop"/>.</summary>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <exception cref="ObjectDisposedException">The state machine is closed.</exception>
    Task StartAsync(CancellationToken cancellationToken = default);

    /// <summary>
    /// Stops serving until <see cref="StartAsync"/>; repeated calls, and calls after a close, have no effect.
    /// </summary>
    void Stop();

    /// <summary>
    /// Closes for good: releases the directory's lock and every mapping. Repeated calls have no effect.
    /// </summary>
    void CloseStorage() { }

    /// <summary>True between start and stop.</summary>
    bool IsRunning { get; }

    /// <summary>Returns a copy of the live value of a key; null if the key is absent.</summary>
    /// <param name="key">The key.</param>
    /// <exception cref="InvalidOperationException">The state machine is stopped.</exception>
    /// <exception cref="CorruptionException">A block that holds the key is damaged.</exception>
    /// <exception cref="ObjectDisposedException">The state machine is closed.</exception>
    byte[]? Get(ReadOnlySpan<byte> key);

    /// <summary>Returns copies of the values of many keys at one revision: result i is that of key i.</summary>
    /// <param name="keys">The keys, in any order.</param>
    /// <exception cref="InvalidOperationException">The state machine is stopped.</exception>
    /// <exception cref="CorruptionException">A block that holds a key is damaged.</exception>
    /// <exception cref="ArgumentNullException"><paramref name="keys"/> is null.</exception>
    /// <exception cref="ObjectDisposedException">The state machine is closed.</exception>
    byte[]?[] GetMulti(IReadOnlyList<ReadOnlyMemory<byte>> keys);

    /// <summary>
    /// Returns copies of every live entry whose key starts with a prefix, in key order, at one revision.
    /// </summary>
    /// <param name="prefix">The prefix; an empty one selects every key.</param>
    /// <exception cref="InvalidOperationException">The state machine is stopped.</exception>
    /// <exception cref="CorruptionException">A block of the range is damaged.</exception>
    /// <exception cref="NotSupportedException">The state machine has no scans.</exception>
    /// <exception cref="ObjectDisposedException">The state machine is closed.</exception>
    ScanResult ScanPrefix(ReadOnlySpan<byte> prefix) =>
        throw new NotSupportedException("scan_prefix not supported by this state machine");

    /// <summary>
    /// Returns copies of up to <paramref name="limit"/> live entries whose key starts with a prefix and comes after a
    /// key, in key order. A page is of one revision; entries applied between two calls may be in the next page.
    /// </summary>
    /// <remarks>
    /// Where a state machine does not implement it, it costs a <see cref="ScanPrefix"/>. The engine's costs by the
    /// page.
    /// </remarks>
    /// <param name="prefix">The prefix; an empty one selects every key.</param>
    /// <param name="after">A key, which need not exist: entries up to it are left out. Empty: none. The page before has
    /// it as <see cref="Varve.ScanPage.Continuation"/>.</param>
    /// <param name="limit">The most entries of the page, 1 or more.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="limit"/> is below 1.</exception>
    /// <exception cref="InvalidOperationException">The state machine is stopped.</exception>
    /// <exception cref="ObjectDisposedException">The state machine is closed.</exception>
    /// <exception cref="CorruptionException">A block of the range is damaged.</exception>
    /// <exception cref="NotSupportedException">The state machine has no scans.</exception>
    ScanPage ScanPage(ReadOnlySpan<byte> prefix, ReadOnlySpan<byte> after, int limit) =>
        Varve.ScanPage.Of(ScanPrefix(prefix), after, limit);

    /// <summary>The exact number of live keys.</summary>
    /// <exception cref="InvalidOperationException">The state machine is stopped.</exception>
    /// <exception cref="CorruptionException">A block that a count reads is damaged.</exception>
    /// <exception cref="ObjectDisposedException">The state machine is closed.</exception>
    long Count { get; }

    /// <summary>True if there is no live key.</summary>
    /// <exception cref="InvalidOperationException">The state machine is stopped.</exception>
    /// <exception cref="CorruptionException">A block that a count reads is damaged.</exception>
    /// <exception cref="ObjectDisposedException">The state machine is closed.</exception>
    bool IsEmpty => Count == 0;

    /// <summary>
    /// Applies a chunk of committed entries, all or none. Completes synchronously unless it waits; the engine waits for
    /// a sync, for flushes and for memory without blocking the caller's thread.
    /// </summary>
    /// <remarks>
    /// Chunks are applied in the order of the calls: a call that was made after another one returned comes after it,
    /// awaited or not. If a chunk fails, those after it are applied in their turn, and usually fail with
    /// <see cref="LogGapException"/>. Only this method knows that order: do not mix it with others that apply while a
    /// task is pending. The chunk was applied if the task succeeds, and was not if it is cancelled. A close applies no
    /// chunk that still waits: its task fails with <see cref="ObjectDisposedException"/>.
    /// </remarks>
    /// <param name="chunk">The entries, in log order; read before the call returns, not kept.</param>
    /// <param name="cancellationToken">Cancels the apply while it waits for its turn: then nothing of the chunk is
    /// applied. From the moment at which it is written to the log on it is not cancelled.</param>
    /// <returns>The outcome of each entry, in order.</returns>
    /// <exception cref="OperationCanceledException">The token was cancelled before the chunk was applied.</exception>
    /// <exception cref="ArgumentException">Indexes or terms are in disorder, or a key or value exceeds its
    /// limits.</exception>
    /// <exception cref="InvalidOperationException">The state machine is stopped, or read-only.</exception>
    /// <exception cref="LogGapException">The first index is above the next one.</exception>
    /// <exception cref="DuplicateEntryException">The outcome of an applied entry is no longer known.</exception>
    /// <exception cref="StorageFullException">There is no space for the log; nothing changed.</exception>
    /// <exception cref="EngineFaultedException">An earlier failure, or the sync of this chunk, left a promise in
    /// doubt.</exception>
    /// <exception cref="ObjectDisposedException">The state machine is closed.</exception>
    ValueTask<ApplyResult[]> ApplyChunkAsync(
        ReadOnlyMemory<ApplyEntry> chunk, CancellationToken cancellationToken = default);

    /// <summary>
    /// Returns the term of an applied entry; null above <see cref="LastApplied"/> and below the retained terms.
    /// </summary>
    /// <param name="index">The log index.</param>
    /// <exception cref="ObjectDisposedException">The state machine is closed.</exception>
    ulong? EntryTerm(ulong index);

    /// <summary>The last applied entry.</summary>
    /// <exception cref="ObjectDisposedException">The state machine is closed.</exception>
    LogId LastApplied { get; }

    /// <summary>Moves the applied position forward, without an entry.</summary>
    /// <param name="lastApplied">The new position.</param>
    /// <exception cref="ArgumentOutOfRangeException">The index or the term is below the present one.</exception>
    /// <exception cref="InvalidOperationException">The state machine is stopped, or read-only.</exception>
    /// <exception cref="StorageFullException">There is no space for the log; nothing changed.</exception>
    /// <exception cref="EngineFaultedException">An earlier failure left a promise in doubt.</exception>
    /// <exception cref="ObjectDisposedException">The state machine is closed.</exception>
    void UpdateLastApplied(LogId lastApplied);

    /// <summary>
    /// Moves the applied position forward as <see cref="UpdateLastApplied"/> does; durable on return.
    /// </summary>
    /// <param name="lastApplied">The new position.</param>
    /// <exception cref="ArgumentOutOfRangeException">The index or the term is below the present one.</exception>
    /// <exception cref="InvalidOperationException">The state machine is stopped, or read-only.</exception>
    /// <exception cref="StorageFullException">There is no space for the log; nothing changed.</exception>
    /// <exception cref="EngineFaultedException">An earlier failure left a promise in doubt.</exception>
    /// <exception cref="ObjectDisposedException">The state machine is closed.</exception>
    void PersistLastApplied(LogId lastApplied);

    /// <summary>The last snapshot made or installed; null if there is none.</summary>
    /// <exception cref="ObjectDisposedException">The state machine is closed.</exception>
    SnapshotMetadata? SnapshotMetadata { get; }

    /// <summary>Records a snapshot, unless a later one is recorded already.</summary>
    /// <param name="metadata">The snapshot; its bytes are copied.</param>
    /// <exception cref="ArgumentException">The checksum has not 32 bytes, or index 0 has a term other than
    /// 0.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The snapshot ends above <see cref="LastApplied"/>.</exception>
    /// <exception cref="InvalidOperationException">The state machine is stopped, or read-only.</exception>
    /// <exception cref="ArgumentNullException"><paramref name="metadata"/> is null.</exception>
    /// <exception cref="StorageFullException">There is no space for the log; nothing changed.</exception>
    /// <exception cref="EngineFaultedException">An earlier failure left a promise in doubt.</exception>
    /// <exception cref="ObjectDisposedException">The state machine is closed.</exception>
    void UpdateLastSnapshotMetadata(SnapshotMetadata metadata);

    /// <summary>Records a snapshot as <see cref="UpdateLastSnapshotMetadata"/> does; durable on return.</summary>
    /// <param name="metadata">The snapshot; its bytes are copied.</param>
    /// <exception cref="ArgumentException">The checksum has not 32 bytes, or index 0 has a term other than
    /// 0.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The snapshot ends above <see cref="LastApplied"/>.</exception>
    /// <exception cref="InvalidOperationException">The state machine is stopped, or read-only.</exception>
    /// <exception cref="ArgumentNullException"><paramref name="metadata"/> is null.</exception>
    /// <exception cref="StorageFullException">There is no space for the log; nothing changed.</exception>
    /// <exception cref="EngineFaultedException">An earlier failure left a promise in doubt.</exception>
    /// <exception cref="ObjectDisposedException">The state machine is closed.</exception>
    void PersistLastSnapshotMetadata(SnapshotMetadata metadata);

    /// <summary>
    /// Writes the state at exactly <paramref name="lastIncluded"/> into a new directory. Applies continue meanwhile.
    /// </summary>
    /// <param name="newSnapshotDirectory">Path of a directory that is absent or empty; it gets all of the snapshot or
    /// nothing.</param>
    /// <param name="lastIncluded">The last applied entry, or one that the history still covers.</param>
    /// <param name="cancellationToken">Abandons the snapshot, which leaves nothing behind.</param>
    /// <returns>The checksum: SHA-256 of the snapshot's manifest.</returns>
    /// <exception cref="ArgumentException">The entry is not applied, has another term, or is too far
    /// behind.</exception>
    /// <exception cref="IOException">The directory is not empty, or the disk failed; nothing is left
    /// behind.</exception>
    /// <exception cref="EngineFaultedException">An earlier failure left a promise in doubt.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">The state machine is closed.</exception>
    Task<ReadOnlyMemory<byte>> GenerateSnapshotDataAsync(
        string newSnapshotDirectory, LogId lastIncluded, CancellationToken cancellationToken = default);

    /// <summary>
    /// Verifies a snapshot and replaces the whole state by it in one step. If it fails, the old state continues.
    /// </summary>
    /// <param name="metadata">Position and checksum that the snapshot must have.</param>
    /// <param name="snapshotPath">Path of a snapshot directory or a packed file.</param>
    /// <param name="cancellationToken">Honoured until the switch.</param>
    /// <exception cref="SnapshotRejectedException">The snapshot is damaged, is not the announced one, or is older than
    /// the state.</exception>
    /// <exception cref="UnsupportedFormatException">The snapshot is intact and of a newer build.</exception>
    /// <exception cref="InvalidOperationException">The state machine is stopped, or read-only.</exception>
    /// <exception cref="ArgumentException">An argument is null or empty, or the index in <paramref name="metadata"/>
    /// is 0 and the term is not.</exception>
    /// <exception cref="IOException">The snapshot cannot be read, or the disk failed.</exception>
    /// <exception cref="EngineFaultedException">An earlier failure left a promise in doubt.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">The state machine is closed.</exception>
    Task ApplySnapshotFromFileAsync(
        SnapshotMetadata metadata, string snapshotPath, CancellationToken cancellationToken = default);

    /// <summary>Makes the applied position, and everything up to it, durable.</summary>
    /// <exception cref="InvalidOperationException">The state machine is stopped, or read-only.</exception>
    /// <exception cref="EngineFaultedException">The sync failed, or an earlier failure left a promise in
    /// doubt.</exception>
    /// <exception cref="ObjectDisposedException">The state machine is closed.</exception>
    void SaveHardState();

    /// <summary>Makes everything applied durable.</summary>
    /// <exception cref="InvalidOperationException">The state machine is stopped, or read-only.</exception>
    /// <exception cref="EngineFaultedException">The sync failed, or an earlier failure left a promise in
    /// doubt.</exception>
    /// <exception cref="ObjectDisposedException">The state machine is closed.</exception>
    void Flush();

    /// <summary>Makes everything applied durable without blocking a thread.</summary>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <exception cref="InvalidOperationException">The state machine is stopped, or read-only.</exception>
    /// <exception cref="EngineFaultedException">The sync failed, or an earlier failure left a promise in
    /// doubt.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">The state machine is closed.</exception>
    Task FlushAsync(CancellationToken cancellationToken = default);

    /// <summary>Empties the state machine in one durable step: no data, index 0.</summary>
    /// <param name="cancellationToken">Honoured until the switch.</param>
    /// <exception cref="InvalidOperationException">The state machine is stopped, or read-only.</exception>
    /// <exception cref="StorageFullException">There is no space for the empty state; nothing changed.</exception>
    /// <exception cref="EngineFaultedException">An earlier failure left a promise in doubt.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">The state machine is closed.</exception>
    Task ResetAsync(CancellationToken cancellationToken = default);

    /// <summary>
    /// Returns the keys whose leases have expired, each lease once. Such keys are absent from every read as soon as
    /// they
    /// expire.
    /// </summary>
    /// <param name="cancellationToken">Honoured before the clean-up begins.</param>
    /// <returns>The keys in ascending order, in memory that the caller owns.</returns>
    /// <exception cref="InvalidOperationException">The state machine is stopped, or read-only.</exception>
    /// <exception cref="CorruptionException">A block that the search reads is damaged.</exception>
    /// <exception cref="StorageFullException">There is no space for the log; nothing changed.</exception>
    /// <exception cref="EngineFaultedException">An earlier failure left a promise in doubt.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">The state machine is closed.</exception>
    Task<IReadOnlyList<ReadOnlyMemory<byte>>> LeaseBackgroundCleanupAsync(
        CancellationToken cancellationToken = default) =>
        Task.FromResult<IReadOnlyList<ReadOnlyMemory<byte>>>([]);
}
