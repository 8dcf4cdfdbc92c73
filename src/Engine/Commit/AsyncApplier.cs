using System.Runtime.CompilerServices;
using Varve.Background;
using Varve.Epochs;
using Varve.Runtime;
using Varve.Wal;

namespace Varve.Commit;

/// <summary>
/// Applies chunks for callers whose threads must not wait.
/// <para>
/// The problem: an apply may wait for flushes, for a pause, for a memtable to be made, for the gate while another
/// thread makes one, and for a sync. A thread of the pool that waits is missing elsewhere. Most applies wait for
/// nothing and should cost what a blocking apply costs.
/// </para>
/// <list type="number">
/// <item>A chunk that finds nothing to wait for is applied on its caller's thread, and completes synchronously unless a
/// sync is due; the sync thread does that and completes the task. The caller's thread waits for the gate for a
/// millisecond at most.</item>
/// <item>Any other chunk is copied and queued. One thread of the engine (<i>Varve apply</i>) applies the queue in its
/// order, as a blocking caller would. It begins with the first chunk that is queued.</item>
/// <item>While a chunk is queued or being applied from the queue, later chunks are queued behind it. So chunks are
/// applied in the order of the calls.</item>
/// <item>A queued chunk leaves the queue once: to be applied, or since its caller cancelled it. After that it cannot be
/// cancelled.</item>
/// <item>A close first refuses new chunks, then waits for the one that is being applied, and fails those that are still
/// queued.</item>
/// </list>
/// <para>
/// The obvious design applies queued chunks on the sync thread, which serves tasks already. A chunk that waits for a
/// flush would then hold up every sync, and a sync on a slow device every chunk, also of callers that want no sync.
/// </para>
/// <para>
/// Threads: any. The user's clock, and memory that the user's code provides, are read on the caller's thread.
/// </para>
/// </summary>
internal sealed class AsyncApplier(
    EngineContext engine, EngineSeams seams, CommitPipeline pipeline, WalSyncer syncer, WriteThrottle throttle)
    : IDisposable
{
    private readonly RankedLock _lock = new(LockOrder.PendingApplies);
    private readonly LinkedList<PendingApply> _queue = [];
    private readonly bool _isStepped = seams.Scheduler is not null;
    private BackgroundWorker? _worker;
    private int _pending; // queued, or being applied from the queue

    /// <inheritdoc cref="LsmStateMachine.ApplyChunkAsync"/>
    public ValueTask<ApplyResult[]> ApplyAsync(ReadOnlyMemory<ApplyEntry> chunk, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        engine.Clock.ReadLocal(); // the user's clock: on the caller's thread
        var entries = chunk.Span;
        var results = new ApplyResult[entries.Length];
        if (!TryApply(entries, results, out var ticket, out var stall))
            return DeferAsync(Enqueue(entries, results, stall, cancellationToken));
        return ticket.NeedsSync ? AcknowledgeAsync(ticket.End, results) : new ValueTask<ApplyResult[]>(results);
    }

    /// <summary>
    /// Ends the thread and fails the chunks that are still queued. Called by a close, after new ones are refused.
    /// </summary>
    public void Dispose()
    {
        Volatile.Read(ref _worker)?.Dispose();
        ApplyQueue();
    }

    /// <summary>Applies on this thread; false if it would have to wait, and then nothing has happened.</summary>
    private bool TryApply(
        ReadOnlySpan<ApplyEntry> entries, ApplyResult[] results, out CommitTicket ticket, out WriteStall stall)
    {
        (ticket, stall) = (default, WriteStall.None);
        if (_isStepped)
        {
            // No thread applies the queue: the caller's steps the background until there is room.
            throttle.WaitForTurn();
            ticket = pipeline.Append(entries, results);
            return true;
        }

        if (Volatile.Read(ref _pending) != 0) return false;
        stall = throttle.NextStall();
        return stall == WriteStall.None && pipeline.TryAppend(entries, results, out ticket);
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<ApplyResult[]> AcknowledgeAsync(LogOffset end, ApplyResult[] results)
    {
        await syncer.WaitAsync(end).ConfigureAwait(false);
        return results;
    }

    private async ValueTask<ApplyResult[]> DeferAsync(PendingApply apply)
    {
        var ticket = await apply.Applied.Task.ConfigureAwait(false);
        if (ticket.NeedsSync) await syncer.WaitAsync(ticket.End).ConfigureAwait(false);
        return apply.Results;
    }

    /// <summary>Copies a chunk to the end of the queue.</summary>
    private PendingApply Enqueue(
        ReadOnlySpan<ApplyEntry> entries, ApplyResult[] results, WriteStall stall, CancellationToken cancellationToken)
    {
        engine.State.EnsureWritable();
        var worker = Worker();
        var apply = new PendingApply(this, new CopiedChunk(entries), results, stall);
        apply.Registration = cancellationToken.UnsafeRegister(
            static (apply, token) => ((PendingApply)apply!).Owner.Cancel((PendingApply)apply, token), apply);
        using (_lock.Enter())
        {
            _queue.AddLast(apply.Node);
            Volatile.Write(ref _pending, _pending + 1);
        }

        if (cancellationToken.IsCancellationRequested) Cancel(apply, cancellationToken); // before it was queued
        worker.Wake();
        if (engine.State.IsClosed || Volatile.Read(ref _worker) != worker)
        {
            // The close may have looked before this thread was made, and before this chunk was queued.
            worker.Dispose();
            ApplyQueue();
        }

        return apply;
    }

    /// <summary>The thread that applies the queue; begins it at the first call.</summary>
    private BackgroundWorker Worker()
    {
        if (Volatile.Read(ref _worker) is { } existing) return existing;
        var worker = new BackgroundWorker(
            "Varve apply", seams, new WakeSignal(), ApplyQueue, engine.State.Fail, () => Timeout.InfiniteTimeSpan);
        if (Interlocked.CompareExchange(ref _worker, worker, null) is { } other) return other;
        try
        {
            worker.Start();
        }
        catch
        {
            Volatile.Write(ref _worker, null);
            ApplyQueue(); // what others have queued meanwhile
            throw;
        }

        return worker;
    }

    private void ApplyQueue()
    {
        while (TryDequeue() is { } apply) Apply(apply);
    }

    private void Apply(PendingApply apply)
    {
        try
        {
            apply.Applied.SetResult(Append(apply));
        }
#pragma warning disable CA1031 // Whatever it is, the caller gets it, and the next chunk has its turn.
        catch (Exception e)
#pragma warning restore CA1031
        {
            apply.Applied.SetException(e);
        }
    }

    private CommitTicket Append(PendingApply apply)
    {
        try
        {
            if (!engine.State.HasEnded) throttle.WaitForTurn(apply.Stall);
            return pipeline.Append(apply.Chunk.Entries, apply.Results);
        }
        finally
        {
            apply.Chunk.Dispose();
            using (_lock.Enter()) Volatile.Write(ref _pending, _pending - 1);
        }
    }

    private PendingApply? TryDequeue()
    {
        using (_lock.Enter())
        {
            if (_queue.First is not { } first) return null;
            _queue.RemoveFirst();
            first.Value.Registration.Unregister();
            return first.Value;
        }
    }

    /// <summary>Takes a chunk out of the queue, unless its apply has begun.</summary>
    private void Cancel(PendingApply apply, CancellationToken cancellationToken)
    {
        using (_lock.Enter())
        {
            if (apply.Node.List is null) return;
            _queue.Remove(apply.Node);
            Volatile.Write(ref _pending, _pending - 1);
        }

        apply.Chunk.Dispose();
        apply.Applied.SetCanceled(cancellationToken);
    }
}
