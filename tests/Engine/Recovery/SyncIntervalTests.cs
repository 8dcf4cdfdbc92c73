using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Varve.Tests.Engine.Recovery;

/// <summary>The interval of syncs is one of the time provider, not of the wall clock.</summary>
public sealed class SyncIntervalTests
{
    [Fact]
    public void TimerOfIntervalIsRequestedFromTimeProvider()
    {
        var clock = new RecordingTimeProvider();
        using var database = new Database();
        using var machine = database.Open(Database.Small with
        {
            Durability = Durability.Interval,
            SyncInterval = TimeSpan.FromMinutes(7),
            TimeProvider = clock
        });
        Assert.Contains((TimeSpan.FromMinutes(7), TimeSpan.FromMinutes(7)), clock.Timers);
    }

    [Fact]
    public void LogIsSyncedWhenProviderTimePasses()
    {
        var clock = new FakeTimeProvider();
        using var database = new Database();
        using var machine = database.Open(Database.Small with
        {
            Durability = Durability.Interval,
            SyncInterval = TimeSpan.FromHours(1),
            TimeProvider = clock
        });
        // Three rounds: the first may be made by the open.
        for (ulong index = 1; index <= 3; index++)
        {
            machine.ApplyChunk(NumberedLog.Chunk(index, 1), new ApplyResult[1]);
            clock.Advance(TimeSpan.FromHours(1));
            Waiting.Until(() => machine.DurableLogId.Index == index);
        }
    }

    private sealed class RecordingTimeProvider : TimeProvider
    {
        public List<(TimeSpan Due, TimeSpan Period)> Timers { get; } = [];

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            Timers.Add((dueTime, period));
            return base.CreateTimer(callback, state, dueTime, period);
        }
    }
}
