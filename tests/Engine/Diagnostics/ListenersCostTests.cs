using Varve.Tests.Engine.Recovery;
using Xunit;

namespace Varve.Tests.Engine.Diagnostics;

/// <summary>With listeners attached, the hot paths allocate as little as without.</summary>
public sealed class ListenersCostTests : IDisposable
{
    private const int Calls = 400;
    private const int Windows = 3;

    private readonly Database _database = new();
    private readonly string _name = $"cost-{Guid.NewGuid()}";

    public void Dispose() => _database.Dispose();

    [Theory]
    [InlineData(Durability.Process)]
    [InlineData(Durability.Power)] // an apply ends a sync, whose duration is queued
    public void ApplyAndReadAllocateNothing(Durability durability)
    {
        using var metrics = new MetricsOf("another");
        using var spans = new SpansOf("another");
        using var engine = _database.Open(
            new EngineOptions { Name = _name, MemtableBytes = 4L << 30, Durability = durability });
        var results = new ApplyResult[1];
        var room = new byte[100];
        var index = 0UL;
        var chunks = Enumerable.Range(1, Calls * (Windows + 1)).Select(i => new[]
        {
            new ApplyEntry((ulong)i, 1, Command.Insert(BitConverter.GetBytes(i), new byte[20]))
        }).ToArray();
        AllocatesNothing(() =>
        {
            engine.ApplyChunk(chunks[index++], results);
            engine.Read("none"u8, room);
        });
    }

    [Fact]
    public void ReportOfSyncAllocatesNothing()
    {
        using var metrics = new MetricsOf("another");
        var telemetry = new Varve.Diagnostics.EngineTelemetry(_name, null);
        AllocatesNothing(() => telemetry.End(Varve.Diagnostics.Work.Sync, telemetry.Now()));
        telemetry.Emit();
    }

    [Fact]
    public void FullQueueDropsReportsAndCountsWork()
    {
        using var stuck = new ManualResetEventSlim();
        using var metrics = new MetricsOf(_name, _ => stuck.Wait());
        var telemetry = new Varve.Diagnostics.EngineTelemetry(_name, null);
        for (var i = 0; i < 5000; i++) telemetry.End(Varve.Diagnostics.Work.Sync, telemetry.Now());
        stuck.Set();
        Assert.Equal(5000, telemetry.Totals.CountOf(Varve.Diagnostics.Work.Sync));
        metrics.AwaitDurations("varve.sync.duration", 1024);
        telemetry.End(Varve.Diagnostics.Work.Install, telemetry.Now()); // there is room, and it is reported last
        metrics.AwaitDurations("varve.install.duration", 1);
        Assert.InRange(metrics.Measured.Count(measured => measured.Name == "varve.sync.duration"), 1024, 4999);
        Assert.Equal(2, metrics.Measured.Select(measured => measured.Name).Distinct().Count());
    }

    private static void AllocatesNothing(Action once)
    {
        for (var i = 0; i < Calls; i++) once();
        // A lock allocates once, at its first contention; an allocation of the call itself shows in every window.
        var least = long.MaxValue;
        for (var window = 0; window < Windows && least != 0; window++)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            for (var i = 0; i < Calls; i++) once();
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        Assert.Equal(0, least);
    }
}
