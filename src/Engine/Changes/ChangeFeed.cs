using System.Runtime.CompilerServices;
using Varve.Background;
using Varve.Epochs;
using Varve.Reading;
using Varve.Runtime;
using Varve.Versions;

namespace Varve.Changes;

/// <summary>The enumerations of changes. Any thread.</summary>
internal sealed class ChangeFeed : IDisposable
{
    private readonly RankedLock _lock = new(LockOrder.ChangeReaders);
    private readonly HashSet<ChangeReader> _readers = [];
    private readonly EngineContext _engine;
    private readonly ChangeLog _log;
    private readonly ChangeDispatcher _dispatcher;

    public ChangeFeed(
        EngineContext engine, EngineSeams seams, VersionSet versions, ReadSessions sessions, History history)
    {
        _engine = engine;
        _log = new ChangeLog(engine, versions, sessions, history);
        _dispatcher = new ChangeDispatcher(engine, seams, _log);
    }

    /// <inheritdoc cref="LsmStateMachine.ReadChangesAsync"/>
    public IAsyncEnumerable<Change> ReadAsync(
        ulong fromIndex, ReadOnlyMemory<byte> prefix, CancellationToken cancellationToken) =>
        Enumerate(Math.Max(fromIndex, 1), prefix.ToArray(), cancellationToken);

    /// <summary>The number of enumerations, and by how many entries the slowest is behind.</summary>
    public (int Readers, ulong Lag) Describe()
    {
        var (dispatched, applied) = (_dispatcher.Reached, _log.Applied);
        using (_lock.Enter())
        {
            var slowest = _readers.Count == 0 ? applied : _readers.Min(reader => reader.Reached(dispatched));
            return (_readers.Count, applied - Math.Min(applied, slowest));
        }
    }

    /// <summary>Has all readers that wait look at the state of the engine.</summary>
    public void WakeReaders() => _dispatcher.WakeReaders();

    /// <summary>Ends the dispatcher. The engine's state is closed.</summary>
    public void Dispose() => _dispatcher.Dispose();

    private async IAsyncEnumerable<Change> Enumerate(
        ulong from, byte[] prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var reader = new ChangeReader(from, prefix, _log.Begin(from));
        using (_lock.Enter()) _readers.Add(reader);
        try
        {
            var batch = new List<Change>();
            while (true)
            {
                batch = await NextAsync(reader, batch, cancellationToken).ConfigureAwait(false);
                foreach (var change in batch)
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    yield return change;
                }
            }
        }
        finally
        {
            _dispatcher.Remove(reader);
            using (_lock.Enter()) _readers.Remove(reader);
        }
    }

    /// <summary>The next changes, at least one.</summary>
    private async ValueTask<List<Change>> NextAsync(
        ChangeReader reader, List<Change> batch, CancellationToken cancellationToken)
    {
        batch.Clear();
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            _engine.State.EnsureReadable();
            if (reader.TryTake(ref batch)) return batch;
            if (reader.IsJoined)
            {
                _engine.State.EnsureNotFaulted();
                await reader.WaitAsync(cancellationToken).ConfigureAwait(false);
                continue;
            }

            var isAtEnd = StepAlone(reader, batch);
            if (batch.Count > 0) return batch;
            if (isAtEnd) _dispatcher.TryJoin(reader);
        }
    }

    /// <summary>The reader's own step; true if nothing published is left.</summary>
    private bool StepAlone(ChangeReader reader, List<Change> batch)
    {
        var cursor = reader.Cursor;
        var sink = new ChangeBatch(reader.Prefix, batch);
        try
        {
            return _log.Step(ref cursor, reader.From, limit: null, ref sink);
        }
#pragma warning disable CA1031 // The consumer first gets what precedes the failure; the next step meets it again.
        catch (Exception) when (batch.Count > 0)
#pragma warning restore CA1031
        {
            return false;
        }
        finally
        {
            reader.Cursor = cursor;
        }
    }
}
