using Varve.Tests.Engine.Recovery;
using Xunit;

namespace Varve.Tests.Engine.Callers;

/// <summary>
/// The user's logger may throw, may be slow and may call the engine: it holds nothing up and breaks nothing.
/// </summary>
public sealed class LoggerTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly Database _database = new();

    public void Dispose() => _database.Dispose();

    [Fact]
    public async Task LoggerThatThrowsAtEveryEventChangesNothing()
    {
        var snapshot = Path.Combine(_database.Root, "snapshot");
        using var seen = new CountdownEvent(7);
        using (var engine = _database.Open(WithLogger(_ =>
        {
            if (!seen.IsSet) seen.Signal();
            throw new InvalidOperationException("the log's sink is broken");
        })))
        {
            Apply(engine, 2000);
            await engine.CompactAsync();
            var at = engine.LastApplied;
            var checksum = await engine.GenerateSnapshotDataAsync(snapshot, at);
            await engine.ApplySnapshotFromFileAsync(new SnapshotMetadata(at, checksum), snapshot);
            Assert.Equal(2000, engine.Count);
            await engine.ResetAsync();
            Apply(engine, 100);
            Assert.Null(engine.GetStatistics().Fault);
        }

        Assert.True(seen.Wait(Patience));
        using var again = _database.Open();
        Assert.Equal(100, again.Count);
    }

    [Fact]
    public async Task BlockedLoggerBlocksNeitherAppliersNorBackground()
    {
        using var isFree = new ManualResetEventSlim();
        using var isStuck = new ManualResetEventSlim();
        using (var engine = _database.Open(WithLogger(name =>
        {
            if (name != "Flushed") return;
            isStuck.Set();
            isFree.Wait();
        }) with
        { SealedMemtablesMax = 1 }))
        {
            Apply(engine, 1000);
            Assert.True(isStuck.Wait(Patience));
            // Fills more memtables than may wait for their flush.
            await Task.Run(() => Apply(engine, 5000)).WaitAsync(Patience);
            await engine.CompactAsync().WaitAsync(Patience);
            Assert.Equal(6000, engine.Count);
            await Task.Run(engine.Dispose).WaitAsync(Patience);
            isFree.Set();
        }

        using var again = _database.Open();
        Assert.Equal(6000, again.Count);
    }

    [Fact]
    public async Task BackgroundEventsAreLoggedOnOtherThreads()
    {
        var thread = new TaskCompletionSource<string?>(TaskCreationOptions.RunContinuationsAsynchronously);
        using var engine = _database.Open(WithLogger(name =>
        {
            if (name == "Flushed") thread.TrySetResult(Thread.CurrentThread.Name);
        }));
        Apply(engine, 1000);
        await engine.CompactAsync();
        Assert.DoesNotContain("Varve", await thread.Task.WaitAsync(Patience) ?? "", StringComparison.Ordinal);
    }

    [Fact]
    public async Task LoggerMayCallEngine()
    {
        var engine = default(LsmStateMachine);
        var turn = new object();
        using var called = new ManualResetEventSlim();
        engine = _database.Open(WithLogger(name =>
        {
            if (name != "Flushed" || called.IsSet) return;
            lock (turn)
                for (var i = 0; i < 30; i++) Apply(engine!, 1, valueBytes: 5000);
            engine!.Stop();
            engine.StartAsync().Wait();
            engine.CompactAsync().Wait();
            called.Set();
        }));
        for (var i = 0; i < 2000 || !called.IsSet; i++)
            lock (turn)
                if (engine.IsRunning) ApplyUnlessStopped(engine);

        Assert.True(called.IsSet);
        await engine.CompactAsync();
        var (index, count) = (engine.LastApplied.Index, engine.Count);
        Assert.Equal((long)index, count);
        Assert.Equal(count, engine.ScanPrefix(default).Entries.Count);
        engine.Dispose();
        using var again = _database.Open();
        Assert.Equal(count, again.Count);
        Assert.Equal(count, again.ScanPrefix(default).Entries.Count);
    }

    [Fact]
    public void LoggerMayDisposeEngine()
    {
        var engine = default(LsmStateMachine);
        using var closed = new ManualResetEventSlim();
        engine = _database.Open(WithLogger(name =>
        {
            if (name != "Flushed") return;
            engine!.Dispose();
            closed.Set();
        }));
        Assert.Throws<ObjectDisposedException>(() => Apply(engine, int.MaxValue));
        Assert.True(closed.Wait(Patience));
        using var again = _database.Open();
        Assert.Equal((long)again.LastApplied.Index, again.Count);
    }

    private static EngineOptions WithLogger(Action<string> act) =>
        Database.Small with { LoggerFactory = new ActingLogger(act) };

    private static void ApplyUnlessStopped(LsmStateMachine engine)
    {
        try
        {
            Apply(engine, 1);
        }
        catch (InvalidOperationException) when (engine.GetStatistics().Fault is null)
        {
            // The logger stopped it, for a moment.
        }
    }

    private static void Apply(LsmStateMachine engine, int entries, int valueBytes = 200)
    {
        var results = new ApplyResult[1];
        for (var i = 0; i < entries; i++)
        {
            var index = engine.LastApplied.Index + 1;
            engine.ApplyChunk(
                [new ApplyEntry(index, 1, Command.Insert(BitConverter.GetBytes(index), new byte[valueBytes]))],
                results);
        }
    }
}
