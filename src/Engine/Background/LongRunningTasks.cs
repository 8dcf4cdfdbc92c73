using System.Runtime.ExceptionServices;
using Varve.Contract;
using Varve.Epochs;

namespace Varve.Background;

/// <summary>
/// The long operations that run beside the caller: snapshots, installs, resets. Closing cancels them and waits until
/// they have ended, so that none touches a directory that another engine may have opened by then. Any thread.
/// </summary>
/// <param name="seams">With a scheduler, tasks run on the caller's thread.</param>
internal sealed class LongRunningTasks(EngineSeams seams)
{
    private readonly bool _areInline = seams.Scheduler is not null;
    private readonly RankedMonitor _lock = new(LockOrder.LongTasks);
    private readonly CancellationTokenSource _closing = new();
    private int _running;
    private bool _closed;

    /// <summary>
    /// Runs an operation on the pool (or inline), under a token that the caller's and the close cancel.
    /// </summary>
    public async Task<T> Run<T>(Func<CancellationToken, Task<T>> operation, CancellationToken cancellationToken)
    {
        using (_lock.Enter())
        {
            EngineClosed.ThrowIf(_closed);
            _running++;
        }

        try
        {
            // A linked token hears of the close on the pool, a while later; the close's own token says so at once.
            using var linked = cancellationToken.CanBeCanceled
                ? CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _closing.Token)
                : null;
            var token = linked?.Token ?? _closing.Token;
            var running = _areInline ? operation(token) : Task.Run(() => operation(token), CancellationToken.None);
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

    /// <summary>
    /// As <see cref="Run"/>, for work that is one call: on a thread of its own, after the user's where cores are short.
    /// </summary>
    public Task<T> RunDeferrable<T>(
        string name, Func<CancellationToken, T> operation, CancellationToken cancellationToken)
    {
        return Run(token => Task.FromResult(_areInline ? operation(token) : OnThread(token)), cancellationToken);

        // Waited for by a thread of the pool, so that no other one is started by a thread that it would take its
        // priority from.
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
                    result = operation(token);
                }
#pragma warning disable CA1031 // It is the operation's, and goes to who awaits that.
                catch (Exception e)
#pragma warning restore CA1031
                {
                    failure = ExceptionDispatchInfo.Capture(e);
                }
            }
        }
    }

    /// <summary>Lets no operation begin any more, cancels those that run and waits for their end.</summary>
    public void Close()
    {
        using (_lock.Enter())
        {
            _closed = true;
            // What a cancellation completes goes on elsewhere, and not under the locks of this thread.
            _ = _closing.CancelAsync();
            while (_running > 0) _lock.Wait(Timeout.InfiniteTimeSpan);
        }
    }
}
