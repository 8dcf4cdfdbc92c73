namespace Varve;

/// <summary>
/// The state machine of a Raft group: d-engine's <c>StateMachine</c> trait. Every member is safe to call from any
/// thread; applies are serialised inside, reads never wait for anything. After <see cref="Stop"/>, reads and applies
/// throw <see cref="InvalidOperationException"/> until <see cref="StartAsync"/>; after <see cref="CloseStorage"/> or
/// disposal everything throws <see cref="ObjectDisposedException"/>.
/// </summary>
public interface IStateMachine : IAsyncDisposable
{
    /// <summary>Starts serving, or serves again after <see cref="Stop"/>.</summary>
    /// <param name="cancellationToken">Cancels the wait.</param>
    Task StartAsync(CancellationToken cancellationToken = default);

    /// <summary>Stops serving; reversible, may be called more than once.</summary>
    void Stop();

    /// <summary>Releases the lock file and every mapping; permanent.</summary>
    void CloseStorage() { }

    /// <summary>True between start and stop.</summary>
    bool IsRunning { get; }

    /// <summary>The live value of a key, copied; null if absent.</summary>
    /// <param name="key">The key.</param>
    byte[]? Get(ReadOnlySpan<byte> key);

    /// <summary>Many keys at one point in time: the result at i is that of key i.</summary>
    /// <param name="keys">The keys.</param>
    byte[]?[] GetMulti(IReadOnlyList<ReadOnlyMemory<byte>> keys);

    /// <summary>
    /// Every live entry whose key starts with <paramref name="prefix"/>, in key order; an empty prefix gives all.
    /// </summary>
    /// <param name="prefix">The prefix.</param>
    ScanResult ScanPrefix(ReadOnlySpan<byte> prefix) =>
        throw new NotSupportedException("scan_prefix not supported by this state machine");

    /// <summary>The exact number of live keys.</summary>
    long Count { get; }

    /// <summary>True when there is no live key.</summary>
    bool IsEmpty => Count == 0;

    /// <summary>
    /// Applies a chunk of committed entries, all or none. Completes synchronously where no sync is waited for.
    /// </summary>
    /// <param name="chunk">The entries, in log order.</param>
    /// <param name="cancellationToken">Honoured before the chunk is written, not after.</param>
    /// <returns>The outcome of each entry, in order.</returns>
    ValueTask<ApplyResult[]> ApplyChunkAsync(
        ReadOnlyMemory<ApplyEntry> chunk, CancellationToken cancellationToken = default);

    /// <summary>
    /// The term of an applied entry; null above <see cref="LastApplied"/> and below what is retained.
    /// </summary>
    /// <param name="index">The log index.</param>
    ulong? EntryTerm(ulong index);

    /// <summary>The last applied entry.</summary>
    LogId LastApplied { get; }

    /// <summary>
    /// Moves the applied position forward in memory; backward is an <see cref="ArgumentOutOfRangeException"/>.
    /// </summary>
    /// <param name="lastApplied">The new position.</param>
    void UpdateLastApplied(LogId lastApplied);

    /// <summary>As <see cref="UpdateLastApplied"/>, and durable on return.</summary>
    /// <param name="lastApplied">The new position.</param>
    void PersistLastApplied(LogId lastApplied);

    /// <summary>The last snapshot made or installed; null if none.</summary>
    SnapshotMetadata? SnapshotMetadata { get; }

    /// <summary>
    /// Records a snapshot in memory, unless a later one is recorded: the last snapshot never goes back.
    /// </summary>
    /// <param name="metadata">The snapshot; not above <see cref="LastApplied"/>.</param>
    void UpdateLastSnapshotMetadata(SnapshotMetadata metadata);

    /// <summary>Records a snapshot durably.</summary>
    /// <param name="metadata">The snapshot.</param>
    void PersistLastSnapshotMetadata(SnapshotMetadata metadata);

    /// <summary>
    /// Writes the state at exactly <paramref name="lastIncluded"/> into a new directory, while applies go on.
    /// </summary>
    /// <param name="newSnapshotDirectory">Must not exist or be empty; nothing is in it until everything is.</param>
    /// <param name="lastIncluded">An applied entry, the last one or a little behind it.</param>
    /// <param name="cancellationToken">Abandons the snapshot and leaves nothing behind.</param>
    /// <returns>The checksum: SHA-256 of the snapshot's manifest.</returns>
    Task<ReadOnlyMemory<byte>> GenerateSnapshotDataAsync(
        string newSnapshotDirectory, LogId lastIncluded, CancellationToken cancellationToken = default);

    /// <summary>
    /// Verifies a snapshot and replaces the whole state by it in one step; on any failure the old state goes on.
    /// </summary>
    /// <param name="metadata">What the snapshot must be.</param>
    /// <param name="snapshotPath">A snapshot directory or a packed file.</param>
    /// <param name="cancellationToken">Honoured until the switch.</param>
    Task ApplySnapshotFromFileAsync(
        SnapshotMetadata metadata, string snapshotPath, CancellationToken cancellationToken = default);

    /// <summary>Makes the applied position and everything before it durable.</summary>
    void SaveHardState();

    /// <summary>Makes everything applied durable.</summary>
    void Flush();

    /// <summary>Makes everything applied durable without holding a thread.</summary>
    /// <param name="cancellationToken">Cancels the wait.</param>
    Task FlushAsync(CancellationToken cancellationToken = default);

    /// <summary>Empties the state machine in one durable step: no data, index 0.</summary>
    /// <param name="cancellationToken">Honoured until the switch.</param>
    Task ResetAsync(CancellationToken cancellationToken = default);

    /// <summary>
    /// Returns the keys whose leases have expired, each lease once. Such keys are absent everywhere from the moment
    /// they expire.
    /// </summary>
    /// <param name="cancellationToken">Honoured before it begins.</param>
    Task<IReadOnlyList<ReadOnlyMemory<byte>>> LeaseBackgroundCleanupAsync(
        CancellationToken cancellationToken = default) =>
        Task.FromResult<IReadOnlyList<ReadOnlyMemory<byte>>>([]);
}
