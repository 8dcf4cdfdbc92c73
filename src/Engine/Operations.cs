using System.Runtime.ExceptionServices;

namespace Varve;

/// <summary>
/// The long operations that run beside the caller: snapshots, installs, resets. Closing cancels them and waits until they have
/// ended, so that none touches a directory that another engine may have opened by then. Any thread.
/// </summary>
/// <param name="options">Of the engine. Under a simulation (<see cref="BackgroundSteps"/>) operations run on the caller's thread.</param>
internal sealed class Operations(EngineOptions options)
{
    private readonly bool _areInline = options.Steps is not null;
    private readonly object _lock = new();
    private readonly CancellationTokenSource _closing = new();
    private int _running;
    private bool _closed;

    /// <summary>Runs an operation on the pool (or inline), under a token that the caller's and the close cancel.</summary>
    public async Task<T> Run<T>(Func<CancellationToken, Task<T>> operation, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_closed, typeof(LsmStateMachine));
            _running++;
        }

        try
        {
            using var linked = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _closing.Token);
            var running = _areInline ? operation(linked.Token) : Task.Run(() => operation(linked.Token), CancellationToken.None);
            return await running.ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (_closing.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new ObjectDisposedException(nameof(LsmStateMachine));
        }
        finally
        {
            lock (_lock)
            {
                _running--;
                Monitor.PulseAll(_lock);
            }
        }
    }

    /// <summary>As <see cref="Run"/>, for work that is one call: on a thread of its own, after the user's where cores are short.</summary>
    public Task<T> RunDeferrable<T>(string name, Func<CancellationToken, T> operation, CancellationToken cancellationToken)
    {
        return Run(token => Task.FromResult(_areInline ? operation(token) : OnThread(token)), cancellationToken);

        // Waited for by a thread of the pool, so that no other one is started by a thread that it would take its priority from.
        T OnThread(CancellationToken token)
        {
            T result = default!;
            ExceptionDispatchInfo? failure = null;
            var thread = new Thread(Work) { IsBackground = true, Name = name };
            options.ThreadStarts?.Invoke(thread);
            thread.Start();
            thread.Join();
            failure?.Throw();
            return result;

            void Work()
            {
                Background.Defer();
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
        lock (_lock)
        {
            _closed = true;
            _ = _closing.CancelAsync(); // what a cancellation completes goes on elsewhere, and not under the locks of this thread
            while (_running > 0) Monitor.Wait(_lock);
        }
    }
}
