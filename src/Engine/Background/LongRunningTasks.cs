using System.Runtime.ExceptionServices;
using Varve.Contract;
using Varve.Epochs;

namespace Varve.Background;

/// <summary>
/// The tasks that run beside the caller: snapshots, installs, resets. Disposal cancels them and waits for their end, so
/// that none touches a directory that another engine may have opened by then; then it deletes what tasks have left:
/// staged snapshots. Any thread.
/// </summary>
/// <param name="seams">With a scheduler, tasks run on the caller's thread.</param>
internal sealed class LongRunningTasks(EngineSeams seams) : IDisposable
{
    private readonly bool _areInline = seams.Scheduler is not null;
    private readonly RankedMonitor _lock = new(LockOrder.LongTasks);
    private readonly CancellationTokenSource _closing = new();
    private readonly List<Action> _left = [];
    private int _running;
    private bool _closed;

    /// <summary>
    /// Runs a task on the pool (inline in a simulation), with a token that the caller's token and a close cancel.
    /// </summary>
    public async Task<T> Run<T>(Func<CancellationToken, Task<T>> task, CancellationToken cancellationToken)
    {
        using (_lock.Enter())
        {
            EngineClosed.ThrowIf(_closed);
            _running++;
        }

        try
        {
            // Linked only if needed: a linked token is cancelled on the pool, later than the close's own token.
            using var linked = cancellationToken.CanBeCanceled
                ? CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _closing.Token)
                : null;
            var token = linked?.Token ?? _closing.Token;
            var running = _areInline ? task(token) : Task.Run(() => task(token), CancellationToken.None);
            return await running.ConfigureAwait(false);
        }
        catch (OperationCanceledException)
            when (_closing.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw EngineClosed.Exception();
        }
        finally
        {
            using (_lock.Enter())
            {
                _running--;
                _lock.PulseAll();
            }
        }
    }

    /// <summary>Runs a short task on the calling thread; a close waits for its end.</summary>
    public void RunHere(Action task) => EngineClosed.ThrowIf(!TryRunHere(task));

    /// <summary>
    /// Runs a short task on the calling thread; a close waits for its end. False, and nothing is run, after a close has
    /// begun.
    /// </summary>
    public bool TryRunHere(Action task)
    {
        using (_lock.Enter())
        {
            if (_closed) return false;
            _running++;
        }

        try
        {
            task();
            return true;
        }
        finally
        {
            using (_lock.Enter())
            {
                _running--;
                _lock.PulseAll();
            }
        }
    }

    /// <summary>
    /// Keeps the deletion of what a running task leaves; a close runs it behind all tasks, unless it is removed.
    /// </summary>
    public void Keep(Action deletion)
    {
        using (_lock.Enter()) _left.Add(deletion);
    }

    /// <summary>Removes the deletion of what a running task has deleted or handed on.</summary>
    public void Remove(Action deletion)
    {
        using (_lock.Enter()) _left.Remove(deletion);
    }

    /// <summary>
    /// Runs a task that is one synchronous call on a thread of its own, with a priority below the user's threads.
    /// </summary>
    public Task<T> RunDeferrable<T>(
        string name, Func<CancellationToken, T> task, CancellationToken cancellationToken)
    {
        return Run(token => Task.FromResult(_areInline ? task(token) : OnThread(token)), cancellationToken);

        // A pool thread joins it. If the low thread completed the task itself, a pool thread started by that would
        // inherit its nice value.
        T OnThread(CancellationToken token)
        {
            T result = default!;
            ExceptionDispatchInfo? failure = null;
            var thread = new Thread(Work) { IsBackground = true, Name = name };
            seams.ThreadStarts?.Invoke(thread);
            thread.Start();
            thread.Join();
            failure?.Throw();
            return result;

            void Work()
            {
                BackgroundWorker.Defer();
                try
                {
                    result = task(token);
                }
#pragma warning disable CA1031 // The task fails with it.
                catch (Exception e)
#pragma warning restore CA1031
                {
                    failure = ExceptionDispatchInfo.Capture(e);
                }
            }
        }
    }

    /// <summary>
    /// Refuses further tasks, cancels the running ones, waits for their end, and deletes what they have left.
    /// </summary>
    public void Dispose()
    {
        Action[] left;
        using (_lock.Enter())
        {
            _closed = true;
            // Asynchronously: continuations must not run under the locks of this thread.
            _ = _closing.CancelAsync();
            while (_running > 0) _lock.Wait(Timeout.InfiniteTimeSpan);
            left = [.. _left];
        }

        foreach (var delete in left) delete();
    }
}
