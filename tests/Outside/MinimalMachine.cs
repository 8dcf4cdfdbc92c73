namespace Varve.Tests.Outside;

/// <summary>
/// Implements exactly the members that the interface leaves open. A member added to the interface without a default
/// breaks every implementer outside, and breaks the build here first.
/// </summary>
internal sealed class MinimalMachine : IStateMachine
{
    public bool IsRunning => true;

    public long Count { get; set; }

    public LogId LastApplied => default;

    public SnapshotMetadata? SnapshotMetadata => null;

    public Task StartAsync(CancellationToken cancellationToken = default) => Task.CompletedTask;

    public void Stop() { }

    public byte[]? Get(ReadOnlySpan<byte> key) => null;

    public byte[]?[] GetMulti(IReadOnlyList<ReadOnlyMemory<byte>> keys) => new byte[]?[keys.Count];

    public ValueTask<ApplyResult[]> ApplyChunkAsync(
        ReadOnlyMemory<ApplyEntry> chunk, CancellationToken cancellationToken = default) =>
        new([]);

    public ulong? EntryTerm(ulong index) => null;

    public void UpdateLastApplied(LogId lastApplied) { }

    public void PersistLastApplied(LogId lastApplied) { }

    public void UpdateLastSnapshotMetadata(SnapshotMetadata metadata) { }

    public void PersistLastSnapshotMetadata(SnapshotMetadata metadata) { }

    public Task<ReadOnlyMemory<byte>> GenerateSnapshotDataAsync(
        string newSnapshotDirectory, LogId lastIncluded, CancellationToken cancellationToken = default) =>
        Task.FromResult(ReadOnlyMemory<byte>.Empty);

    public Task ApplySnapshotFromFileAsync(
        SnapshotMetadata metadata, string snapshotPath, CancellationToken cancellationToken = default) =>
        Task.CompletedTask;

    public void SaveHardState() { }

    public void Flush() { }

    public Task FlushAsync(CancellationToken cancellationToken = default) => Task.CompletedTask;

    public Task ResetAsync(CancellationToken cancellationToken = default) => Task.CompletedTask;

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
