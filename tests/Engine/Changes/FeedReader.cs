using System.Text;
using Varve.Background;

namespace Varve.Tests.Engine.Changes;

/// <summary>One enumeration of changes, with its next step always under way.</summary>
internal sealed class FeedReader : IAsyncDisposable
{
    private readonly CancellationTokenSource _end = new();
    private readonly IAsyncEnumerator<Change> _changes;
    private Task<bool> _next;

    private readonly ManualScheduler? _scheduler;

    /// <param name="engine">The engine.</param>
    /// <param name="from">The first index.</param>
    /// <param name="prefix">The beginning of the keys.</param>
    /// <param name="scheduler">Runs the engine's rounds while a step waits.</param>
    public FeedReader(
        LsmStateMachine engine, ulong from = 1, string prefix = "", ManualScheduler? scheduler = null)
    {
        _scheduler = scheduler;
        _changes = engine.ReadChangesAsync(from, Encoding.UTF8.GetBytes(prefix)).GetAsyncEnumerator(_end.Token);
        _next = _changes.MoveNextAsync().AsTask();
    }

    /// <summary>True if it waits for a change.</summary>
    public bool IsWaiting => !_next.IsCompleted;

    /// <summary>The failure that ended it.</summary>
    public Exception? Failure => _next.Exception?.InnerException;

    /// <summary>The next change, as text; waits for it.</summary>
    public async Task<string> NextAsync() => Text(await NextChangeAsync());

    public async Task<Change> NextChangeAsync()
    {
        await StepAsync();
        var change = _changes.Current;
        _next = _changes.MoveNextAsync().AsTask();
        return change;
    }

    /// <summary>The failure that the next step ends with; waits for it.</summary>
    public async Task<Exception?> FailureAsync()
    {
        try
        {
            await StepAsync();
            return null;
        }
        catch (Exception e) when (e is not TimeoutException)
        {
            return e;
        }
    }

    private Task StepAsync()
    {
        if (_scheduler is null) return _next.WaitAsync(Waiting.Patience);
        Waiting.Until(() =>
        {
            _scheduler.Run();
            return _next.IsCompleted;
        });
        return _next;
    }

    /// <summary>All changes that are published; the engine has no threads, so that a step that waits has none
    /// left.</summary>
    public static async Task<List<Change>> AllAsync(
        LsmStateMachine engine, ManualScheduler scheduler, ulong from = 1, string prefix = "")
    {
        scheduler.Run(); // flushes that are due come first
        await using var reader = new FeedReader(engine, from, prefix);
        var all = new List<Change>();
        while (!reader.IsWaiting) all.Add(await reader.NextChangeAsync());
        return all;
    }

    /// <summary>As the tests write a change: <c>3+key=value</c>, <c>4-key</c>, <c>4!key</c>.</summary>
    public static string Text(Change change)
    {
        var (key, value) = (Encoding.UTF8.GetString(change.Key.Span), Encoding.UTF8.GetString(change.Value.Span));
        return change.Kind switch
        {
            ChangeKind.Put => $"{change.Index}+{key}={value}",
            ChangeKind.Delete => $"{change.Index}-{key}",
            _ => $"{change.Index}!{key}",
        };
    }

    public static string Text(IEnumerable<Change> changes) => string.Join(' ', changes.Select(Text));

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        try
        {
            await _next.WaitAsync(Waiting.Patience);
        }
        catch (Exception e) when (e is OperationCanceledException or InvalidOperationException)
        {
        }

        await _changes.DisposeAsync();
        _end.Dispose();
    }
}
