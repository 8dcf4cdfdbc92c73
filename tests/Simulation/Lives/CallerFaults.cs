using Microsoft.Extensions.Logging;
using Varve.Contract;

namespace Varve.Tests.Simulation.Lives;

/// <summary>Faults of the caller's side, beside those of the disk.</summary>
internal enum CallerFault
{
    /// <summary>There is no memory for what an apply asks for.</summary>
    Allocation,

    /// <summary>The user's clock throws.</summary>
    Clock,

    /// <summary>The user's logger throws.</summary>
    Logger,
}

/// <summary>
/// A clock, a logger and an allocator, one of which fails at its k-th call. The clock is constant: leases use the
/// log's.
/// </summary>
internal sealed class CallerFaults(CallerFault fault, long k) : TimeProvider, ILoggerFactory, ILogger
{
    private long _calls;
    private volatile bool _isEnding;

    /// <summary>True if the k-th call was reached.</summary>
    public bool Failed => Interlocked.Read(ref _calls) > k;

    public EngineOptions On(EngineOptions options) => options with { TimeProvider = this, LoggerFactory = this };

    public void Allocate(Allocation allocation) => Count(CallerFault.Allocation);

    /// <summary>From here on nothing fails.</summary>
    public void End() => _isEnding = true;

    /// <summary>True if the engine may throw this exception for this fault.</summary>
    public bool Explains(Exception e) => fault switch
    {
        CallerFault.Allocation => e is OutOfMemoryException,
        CallerFault.Clock => e is InvalidOperationException { InnerException: TimeZoneNotFoundException },
        _ => false,
    };

    public override DateTimeOffset GetUtcNow()
    {
        Count(CallerFault.Clock);
        return DateTimeOffset.FromUnixTimeMilliseconds(1_700_000_000_000);
    }

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
        Count(CallerFault.Logger);

    private void Count(CallerFault called)
    {
        if (called != fault || _isEnding || Interlocked.Increment(ref _calls) != k + 1) return;
        throw fault switch
        {
            CallerFault.Allocation => new OutOfMemoryException($"allocation {k}"),
            CallerFault.Clock => new TimeZoneNotFoundException($"call {k} of the clock"),
            _ => new InvalidOperationException($"event {k} of the log"),
        };
    }
}
