namespace Varve.Tests.Conformance.Model;

internal sealed partial class DictionaryStateMachine
{
    public bool IsRunning
    {
        get
        {
            lock (_gate)
                return _running && !_disposed;
        }
    }

    public Task StartAsync(CancellationToken cancellationToken = default)
    {
        Locked(() => _running = true);
        return Task.CompletedTask;
    }

    public void Stop() => Locked(() => _running = false);

    public void CloseStorage()
    {
        lock (_gate)
        {
            if (_disposed) return;
            _disposed = true;
            closed?.Invoke(_state);
        }
    }

    public ValueTask DisposeAsync()
    {
        CloseStorage();
        return ValueTask.CompletedTask;
    }

    public LogId LastApplied => Locked(() => _state.LastApplied);

    public ulong? EntryTerm(ulong index) =>
        Locked(() => _state.Terms.TryGetValue(index, out ulong term) ? term : (ulong?)null);

    public void UpdateLastApplied(LogId lastApplied) => Locked(() =>
    {
        if (lastApplied == _state.LastApplied) return;
        if (lastApplied.Index <= _state.LastApplied.Index) throw new ArgumentOutOfRangeException(nameof(lastApplied));
        if (lastApplied.Term < _state.LastApplied.Term)
            throw new ArgumentException("The term is below the last one", nameof(lastApplied));
        _state.Terms[lastApplied.Index] = lastApplied.Term;
        _state.LastApplied = lastApplied;
    });

    public void PersistLastApplied(LogId lastApplied) => UpdateLastApplied(lastApplied);

    public SnapshotMetadata? SnapshotMetadata => Locked(() => _state.Snapshot);

    public void UpdateLastSnapshotMetadata(SnapshotMetadata metadata) => Locked(() =>
    {
        if (metadata.LastIncluded.Index > _state.LastApplied.Index)
            throw new ArgumentOutOfRangeException(nameof(metadata));
        if (metadata.LastIncluded is { Index: 0, Term: not 0 })
            throw new ArgumentException("Index 0 has term 0", nameof(metadata));
        if (_state.Snapshot is null || metadata.LastIncluded.Index >= _state.Snapshot.LastIncluded.Index)
            _state.Snapshot = metadata;
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
            _state = new DictionaryState();
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
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            return function();
        }
    }
}
