using Microsoft.Extensions.Logging;
using Varve.Tests.Engine.Recovery;
using Xunit;

namespace Varve.Tests.Engine.Leases;

/// <summary>
/// Leases by the log's clock in a log without timestamps: nothing would ever expire, which the engine says once.
/// </summary>
public sealed class LeaseWarningTests
{
    [Theory]
    [InlineData(LeaseClock.Log, 0, 1)]
    [InlineData(LeaseClock.Log, 1_000, 0)]
    [InlineData(LeaseClock.Local, 0, 0)]
    public void LeasesInLogWithoutTimestampsWarnOnce(LeaseClock clock, ulong stamp, int warnings)
    {
        using var log = new WarningRecorder();
        using var machine = new LeaseMachine(Database.Small with { LeaseClock = clock, LoggerFactory = log });
        machine.Put("plain", stamp: stamp);
        for (var i = 0; i < 5; i++) machine.Put("k", ttl: 10, stamp: stamp);
        machine.Engine.Dispose();
        Waiting.Until(() => log.IsClosed); // the last event
        Assert.Equal(warnings, log.Said.Count);
    }

    private sealed class WarningRecorder : ILoggerFactory, ILogger
    {
        private const int Closed = 2;
        private volatile bool _isClosed;

        public List<string> Said { get; } = [];

        public bool IsClosed
        {
            get => _isClosed;
            private set => _isClosed = value;
        }

        public ILogger CreateLogger(string categoryName) => this;

        public void AddProvider(ILoggerProvider provider)
        {
        }

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception,
            Func<TState, Exception?, string> formatter)
        {
            if (logLevel == LogLevel.Warning) Said.Add(formatter(state, exception));
            if (eventId.Id == Closed) IsClosed = true;
        }

        public void Dispose()
        {
        }
    }
}
