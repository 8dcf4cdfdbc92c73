namespace Varve.Tests.Conformance.Model;

internal sealed partial class DictionaryStateMachine
{
    public bool IsRunning
    {
        get
        {
            lock (gate)
                return running && !disposed;
        }
    }

    public Task StartAsync(CancellationToken cancellationToken = default)
    {
        Locked(() => running = true);
        return Task.CompletedTask;
    }

    public void Stop() => Locked(() => running = false);

    public void CloseStorage()
    {
        lock (gate)
        {
            if (disposed)
                return;
            disposed = true;
            closed?.Invoke(state);
        }
    }

    public ValueTask DisposeAsync()
    {
        CloseStorage();
        return ValueTask.CompletedTask;
    }

    public LogId LastApplied => Locked(() => state.LastApplied);

    public ulong? EntryTerm(ulong index) => Locked(() => state.Terms.TryGetValue(index, out ulong term) ? term : (ulong?)null);

    public void UpdateLastApplied(LogId lastApplied) => Locked(() =>
    {
        if (lastApplied == state.LastApplied)
            return;
        if (lastApplied.Index <= state.LastApplied.Index)
            throw new ArgumentOutOfRangeException(nameof(lastApplied));
        if (lastApplied.Term < state.LastApplied.Term)
            throw new ArgumentException("The term is below the last one", nameof(lastApplied));
        state.Terms[lastApplied.Index] = lastApplied.Term;
        state.LastApplied = lastApplied;
    });

    public void PersistLastApplied(LogId lastApplied) => UpdateLastApplied(lastApplied);

    public SnapshotMetadata? SnapshotMetadata => Locked(() => state.Snapshot);

    public void UpdateLastSnapshotMetadata(SnapshotMetadata metadata) => Locked(() =>
    {
        if (metadata.LastIncluded.Index > state.LastApplied.Index) throw new ArgumentOutOfRangeException(nameof(metadata));
        if (metadata.LastIncluded is { Index: 0, Term: not 0 }) throw new ArgumentException("Index 0 has term 0", nameof(metadata));
        if (state.Snapshot is null || metadata.LastIncluded.Index >= state.Snapshot.LastIncluded.Index) state.Snapshot = metadata;
    });

    public void PersistLastSnapshotMetadata(SnapshotMetadata metadata) => UpdateLastSnapshotMetadata(metadata);

    public void SaveHardState() => Locked(() => { });

    public void Flush() => Locked(() => { });

    public Task FlushAsync(CancellationToken cancellationToken = default)
    {
        Flush();
        return Task.CompletedTask;
    }

    public Task ResetAsync(CancellationToken cancellationToken = default)
    {
        Locked(() =>
        {
            cancellationToken.ThrowIfCancellationRequested();
            state = new DictionaryState();
        });
        return Task.CompletedTask;
    }

    private void Locked(Action action) => Locked(() =>
    {
        action();
        return 0;
    });

    private T Locked<T>(Func<T> function)
    {
        lock (gate)
        {
            ObjectDisposedException.ThrowIf(disposed, this);
            return function();
        }
    }
}
