using System.Buffers;

namespace Varve;

/// <summary>The LSM engine as the state machine of a Raft group.</summary>
public sealed partial class LsmStateMachine : IStateMachine, IDisposable
{
    private LsmStateMachine() { }

    /// <summary>stub</summary>
    public static LsmStateMachine Open(string directory, EngineOptions? options = null) => throw new NotImplementedException();
    /// <summary>stub</summary>
    public Task StartAsync(CancellationToken cancellationToken = default) => throw new NotImplementedException();
    /// <summary>stub</summary>
    public void Stop() => throw new NotImplementedException();
    /// <summary>stub</summary>
    public void CloseStorage() => throw new NotImplementedException();
    /// <summary>stub</summary>
    public bool IsRunning => throw new NotImplementedException();
    /// <summary>stub</summary>
    public byte[]? Get(ReadOnlySpan<byte> key) => throw new NotImplementedException();
    /// <summary>stub</summary>
    public byte[]?[] GetMulti(IReadOnlyList<ReadOnlyMemory<byte>> keys) => throw new NotImplementedException();
    /// <summary>stub</summary>
    public ScanResult ScanPrefix(ReadOnlySpan<byte> prefix) => throw new NotImplementedException();
    /// <summary>stub</summary>
    public long Count => throw new NotImplementedException();
    /// <summary>stub</summary>
    public bool IsEmpty => Count == 0;
    /// <summary>stub</summary>
    public ValueTask<ApplyResult[]> ApplyChunkAsync(ReadOnlyMemory<ApplyEntry> chunk, CancellationToken cancellationToken = default) => throw new NotImplementedException();
    /// <summary>stub</summary>
    public ulong? EntryTerm(ulong index) => throw new NotImplementedException();
    /// <summary>stub</summary>
    public LogId LastApplied => throw new NotImplementedException();
    /// <summary>stub</summary>
    public void UpdateLastApplied(LogId lastApplied) => throw new NotImplementedException();
    /// <summary>stub</summary>
    public void PersistLastApplied(LogId lastApplied) => throw new NotImplementedException();
    /// <summary>stub</summary>
    public SnapshotMetadata? SnapshotMetadata => throw new NotImplementedException();
    /// <summary>stub</summary>
    public void UpdateLastSnapshotMetadata(SnapshotMetadata metadata) => throw new NotImplementedException();
    /// <summary>stub</summary>
    public void PersistLastSnapshotMetadata(SnapshotMetadata metadata) => throw new NotImplementedException();
    /// <summary>stub</summary>
    public Task<ReadOnlyMemory<byte>> GenerateSnapshotDataAsync(string newSnapshotDirectory, LogId lastIncluded, CancellationToken cancellationToken = default) => throw new NotImplementedException();
    /// <summary>stub</summary>
    public Task ApplySnapshotFromFileAsync(SnapshotMetadata metadata, string snapshotPath, CancellationToken cancellationToken = default) => throw new NotImplementedException();
    /// <summary>stub</summary>
    public void SaveHardState() => throw new NotImplementedException();
    /// <summary>stub</summary>
    public void Flush() => throw new NotImplementedException();
    /// <summary>stub</summary>
    public Task FlushAsync(CancellationToken cancellationToken = default) => throw new NotImplementedException();
    /// <summary>stub</summary>
    public Task ResetAsync(CancellationToken cancellationToken = default) => throw new NotImplementedException();
    /// <summary>stub</summary>
    public Task<IReadOnlyList<ReadOnlyMemory<byte>>> LeaseBackgroundCleanupAsync(CancellationToken cancellationToken = default) => throw new NotImplementedException();
    /// <summary>stub</summary>
    public int ApplyChunk(ReadOnlySpan<byte> encodedChunk, Span<ApplyResult> results) => throw new NotImplementedException();
    /// <summary>stub</summary>
    public int ApplyChunk(in ReadOnlySequence<byte> encodedChunk, Span<ApplyResult> results) => throw new NotImplementedException();
    /// <summary>stub</summary>
    public void ApplyChunk(ReadOnlySpan<ApplyEntry> chunk, Span<ApplyResult> results) => throw new NotImplementedException();
    /// <summary>stub</summary>
    public int Read(ReadOnlySpan<byte> key, Span<byte> destination) => throw new NotImplementedException();
    /// <summary>stub</summary>
    public bool TryGet(ReadOnlySpan<byte> key, IBufferWriter<byte> destination) => throw new NotImplementedException();
    /// <summary>stub</summary>
    public ReadView OpenView() => throw new NotImplementedException();
    /// <summary>stub</summary>
    public LogId DurableLogId => throw new NotImplementedException();
    /// <summary>stub</summary>
    public EngineStatistics GetStatistics() => throw new NotImplementedException();
    /// <summary>stub</summary>
    public Task CompactAsync(CancellationToken cancellationToken = default) => throw new NotImplementedException();
    /// <summary>stub</summary>
    public void Dispose() => throw new NotImplementedException();
    /// <summary>stub</summary>
    public ValueTask DisposeAsync() => throw new NotImplementedException();
}
