using Microsoft.Extensions.Logging;

namespace Varve.Tests.Engine.Callers;

/// <summary>A logger that runs an action for each event, by its name.</summary>
internal sealed class ActingLogger(Action<string> act) : ILoggerFactory, ILogger
{
    public ILogger CreateLogger(string categoryName) => this;

    public void AddProvider(ILoggerProvider provider)
    {
    }

    public void Dispose()
    {
    }

    public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(
        LogLevel logLevel, EventId eventId, TState state, Exception? exception,
        Func<TState, Exception?, string> formatter) =>
        act(eventId.Name!);
}

/// <summary>A constant clock that runs an action before each answer.</summary>
internal sealed class ActingClock(Action act) : TimeProvider
{
    public DateTimeOffset Now { get; set; } = DateTimeOffset.UnixEpoch.AddDays(20_000);

    public bool ThrowsAtTimerDisposal { get; init; }

    public override DateTimeOffset GetUtcNow()
    {
        act();
        return Now;
    }

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        new Timer(ThrowsAtTimerDisposal);

    private sealed class Timer(bool throws) : ITimer
    {
        public bool Change(TimeSpan dueTime, TimeSpan period) => true;

        public void Dispose()
        {
            if (throws) throw new NotSupportedException("a timer that cannot be disposed");
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
