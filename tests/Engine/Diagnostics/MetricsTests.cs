using Varve.Background;
using Varve.Tests.Engine.Recovery;
using Xunit;

namespace Varve.Tests.Engine.Diagnostics;

/// <summary>Each instrument shows the engine's numbers, by database; listeners harm nobody.</summary>
public sealed class MetricsTests : IDisposable
{
    private readonly Database _database = new();
    private readonly string _name = $"metrics-{Guid.NewGuid()}";

    private EngineOptions Options => Database.Small with { Name = _name, InvalidCommands = InvalidCommands.Refuse };

    public void Dispose() => _database.Dispose();

    [Fact]
    public async Task ObservedInstrumentsShowStatistics()
    {
        var steps = new ManualScheduler(); // no thread changes a number between the two readings
        using var engine = _database.Open(Options, new EngineSeams(Scheduler: steps));
        Work(engine);
        var compacting = engine.CompactAsync();
        steps.Run();
        await compacting;
        Work(engine);
        using var view = engine.OpenView();
        using var metrics = new MetricsOf(_name);
        var seen = metrics.Collect();
        var expected = engine.GetStatistics();

        void Shows(string name, double value, string tags = "") => Assert.Equal(value, seen[(name, tags)]);
        Shows("varve.entries", 16);
        Shows("varve.chunks", expected.ChunksApplied);
        Shows("varve.operations", 2, "varve.operation.kind=noop");
        Shows("varve.operations", 4, "varve.operation.kind=insert");
        Shows("varve.operations", 2, "varve.operation.kind=delete");
        Shows("varve.operations", 2, "varve.operation.kind=compare_and_swap");
        Shows("varve.operations", 2, "varve.operation.kind=compare_and_delete");
        Shows("varve.operations", 2, "varve.operation.kind=renew");
        Shows("varve.operations", 2, "varve.operation.kind=refused");
        Shows("varve.io", expected.WalBytes, "varve.io.source=wal");
        Shows("varve.io", expected.FlushBytes, "varve.io.source=flush");
        Shows("varve.io", expected.CompactionBytes, "varve.io.source=compaction");
        Shows("varve.io", expected.ManifestBytes, "varve.io.source=manifest");
        Shows("varve.io", 0, "varve.io.source=snapshot");
        Shows("varve.flushes", expected.Flushes);
        Shows("varve.compactions", expected.Compactions);
        Shows("varve.syncs", expected.Syncs);
        Shows("varve.stalls", 0, "varve.stall.reason=flush");
        Shows("varve.stalls", 0, "varve.stall.reason=pause");
        Shows("varve.stalls", expected.SegmentStalls, "varve.stall.reason=segment");
        Shows("varve.stall.time", expected.StallTime.TotalSeconds);
        Shows("varve.memtables", 1);
        Shows("varve.memory.usage", expected.MemoryBytes - expected.MemtableIndexBytes, "varve.memory.kind=memtable");
        Shows("varve.memory.usage", expected.MemtableIndexBytes, "varve.memory.kind=index");
        Shows("varve.memory.usage", expected.ChunkBytes, "varve.memory.kind=chunk");
        Shows("varve.memory.limit", expected.MemoryBudgetBytes);
        Shows("varve.level.runs", 0, "varve.level=upper");
        Shows("varve.level.runs", 1, "varve.level=bottom");
        Shows("varve.level.size", expected.Runs[0].Bytes, "varve.level=bottom");
        Shows("varve.level.rows", expected.Runs[0].Rows, "varve.level=bottom");
        Shows("varve.disk.usage", expected.Disk.Log, "varve.disk.kind=log");
        Shows("varve.disk.usage", expected.Runs[0].Bytes, "varve.disk.kind=tables");
        Shows("varve.disk.usage", expected.Disk.Manifest, "varve.disk.kind=manifest");
        Shows("varve.disk.usage", expected.Disk.Spare, "varve.disk.kind=spare");
        Shows("varve.disk.usage", expected.Disk.History, "varve.disk.kind=history");
        Shows("varve.views", 1);
        Assert.True(seen[("varve.view.age", "")] >= 0);
        Shows("varve.view.pinned", expected.OldestViewBytes);
        Shows("varve.index.applied", 16);
        Shows("varve.index.durable", expected.DurableLogId.Index);
        Shows("varve.index.lag", 16 - (double)expected.DurableLogId.Index);
        Shows("varve.leases", 2); // in the table and, renewed, in the memtable
        Shows("varve.changes.readers", expected.ChangeReaders);
        Shows("varve.changes.lag", expected.ChangeLag);
        Shows("varve.latched", 0);
        Assert.True(seen[("varve.disk.free", "")] > 0);
    }

    [Fact]
    public async Task DurationsAreRecordedInSeconds()
    {
        using var metrics = new MetricsOf(_name);
        using (var engine = _database.Open(Options))
        {
            Work(engine);
            await engine.CompactAsync();
            Work(engine);
            await engine.CompactAsync();
            var (at, path) = (engine.LastApplied, Path.Combine(_database.Root, "snapshot"));
            var checksum = await engine.GenerateSnapshotDataAsync(path, at);
            await Assert.ThrowsAsync<SnapshotRejectedException>(
                () => engine.ApplySnapshotFromFileAsync(new SnapshotMetadata(at, new byte[32]), path));
            await engine.ApplySnapshotFromFileAsync(new SnapshotMetadata(at, checksum), path);
            engine.Flush();
            foreach (var (name, count) in new[]
            {
                ("recovery", 1), ("flush", 2), ("compaction", 1), ("snapshot", 1), ("install", 2), ("sync", 1)
            })
                metrics.AwaitDurations($"varve.{name}.duration", count);
            var durations = metrics.Measured.ToList();
            Assert.All(durations, measured => Assert.InRange(measured.Value, 0, 60));
            Assert.Single(
                durations, measured => measured.Tags == $"error.type={typeof(SnapshotRejectedException).FullName}");
            var statistics = engine.GetStatistics();
            Assert.Equal((1, 1), (statistics.Snapshots, statistics.Installs));
            Assert.True(statistics is { Flushes: >= 2, Compactions: >= 1 });
            Assert.All(
                [
                    statistics.FlushTime, statistics.CompactionTime, statistics.SyncTime, statistics.SnapshotTime,
                    statistics.InstallTime, statistics.RecoveryTime
                ],
                time => Assert.True(time > TimeSpan.Zero));
        }
    }

    [Fact]
    public void EnginesAreToldApartByTheirNames()
    {
        using var other = new Database();
        using var engine = _database.Open(Options);
        using var second = other.Open(Options with { Name = _name + "-2" });
        Work(engine);
        using var metrics = new MetricsOf(_name);
        using var metricsOfSecond = new MetricsOf(_name + "-2");
        Assert.Equal(8, metrics.Collect()[("varve.entries", "")]);
        Assert.Equal(0, metricsOfSecond.Collect()[("varve.entries", "")]);
    }

    [Fact]
    public void NameIsThatOfDirectoryUnlessGiven()
    {
        using (var engine = _database.Open()) Assert.Equal("db", engine.GetStatistics().Name);
        using (var engine = _database.Open(Options)) Assert.Equal(_name, engine.GetStatistics().Name);
        foreach (var refused in new[] { "", "  ", new string('x', 256) })
        {
            var e = Assert.Throws<ArgumentOutOfRangeException>(
                () => _database.Open(Database.Small with { Name = refused }));
            Assert.Contains("EngineOptions.Name", e.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void ClosedEngineIsNotMeasured()
    {
        using var metrics = new MetricsOf(_name);
        using (_database.Open(Options)) Assert.NotEmpty(metrics.Collect());
        Assert.Empty(metrics.Collect());
        Assert.DoesNotContain(Varve.Diagnostics.OpenEngines.All, engine => _name.Equals(engine.Tag.Value));
    }

    [Fact]
    public async Task CollectionBesideOpensAndClosesIsHarmless()
    {
        using var metrics = new MetricsOf(_name);
        using var over = new CancellationTokenSource();
        var collecting = Task.Run(() =>
        {
            while (!over.IsCancellationRequested) metrics.Collect();
        });
        for (var i = 0; i < 30; i++)
        {
            using var engine = _database.Open(Options);
            Work(engine);
        }

        await over.CancelAsync();
        await collecting;
        using var again = _database.Open(Options);
        Assert.Equal(30 * 8UL, again.LastApplied.Index);
    }

    [Fact]
    public async Task ListenersThatThrowOrCallEngineDoNoHarm()
    {
        LsmStateMachine? engine = null;
        var calls = 0;
        void Act()
        {
            if (engine is not null)
            {
                _ = engine.GetStatistics();
                _ = engine.Count;
            }

            Interlocked.Increment(ref calls);
            throw new InvalidOperationException("the listener is broken");
        }

        using var metrics = new MetricsOf(_name, _ => Act());
        using var spans = new SpansOf(_name, _ => Act());
        using (engine = _database.Open(Options with { Durability = Durability.Power }))
        {
            Work(engine);
            await engine.CompactAsync();
            Work(engine);
            await engine.CompactAsync();
            Assert.ThrowsAny<Exception>(() => metrics.Collect()); // the listener's own call
            Assert.Null(engine.GetStatistics().Fault);
            Waiting.Until(() => Volatile.Read(ref calls) > 5);
            Work(engine);
        }

        using var again = _database.Open(Options);
        Assert.Equal(24UL, again.LastApplied.Index);
    }

    [Fact]
    public void ExceptionOfListenerIsDropped()
    {
        var calls = 0;
        void Act()
        {
            calls++;
            throw new InvalidOperationException("the listener is broken");
        }

        using var metrics = new MetricsOf(_name, _ => Act());
        using var spans = new SpansOf(_name, _ => Act());
        var facts = new Varve.Diagnostics.WorkFacts { Bytes = 1 };
        Varve.Diagnostics.Instruments.Report(
            new Varve.Diagnostics.EndedWork(
                Varve.Diagnostics.Work.Flush, TimeSpan.FromSeconds(1), null,
                new Varve.Diagnostics.WorkSpan(default, DateTimeOffset.UnixEpoch, facts, null)),
            new(Varve.Diagnostics.Instruments.DatabaseTag, _name));
        Assert.Equal(2, calls);
    }

    [Fact]
    public async Task ListenersRunOnOtherThreads()
    {
        var threads = new System.Collections.Concurrent.ConcurrentBag<string>();
        using var metrics = new MetricsOf(_name, _ => threads.Add(Thread.CurrentThread.Name ?? ""));
        using var spans = new SpansOf(_name, _ => threads.Add(Thread.CurrentThread.Name ?? ""));
        using var engine = _database.Open(Options);
        Work(engine);
        await engine.CompactAsync();
        metrics.AwaitDurations("varve.flush.duration", 1);
        spans.Await("varve.flush");
        Assert.DoesNotContain(threads, name => name.StartsWith("Varve", StringComparison.Ordinal));
    }

    [Fact]
    public void OneCollectionReadsEngineOnce()
    {
        using var engine = _database.Open(Options);
        using var metrics = new MetricsOf(_name);
        var source = new CountingSource();
        var metered = new Varve.Diagnostics.MeteredEngine("x", source);
        for (var i = 0; i < 30; i++) Assert.NotNull(metered.TryRead());
        Assert.InRange(source.Reads, 1, 29);
        metered.Expire();
        var before = source.Reads;
        Assert.NotNull(metered.TryRead());
        Assert.Equal(before + 1, source.Reads);
        source.IsClosed = true;
        metered.Expire();
        Assert.Null(metered.TryRead());
    }

    /// <summary>Eight entries, one of each kind and one that is refused.</summary>
    private static void Work(LsmStateMachine engine)
    {
        var at = engine.LastApplied.Index;
        ApplyEntry[] chunk =
        [
            new(at + 1, 1, Command.Noop),
            new(at + 2, 1, Command.Insert("a"u8.ToArray(), "1"u8.ToArray())),
            new(at + 3, 1, Command.Insert("leased"u8.ToArray(), "1"u8.ToArray(), ttlSeconds: 1000)),
            new(at + 4, 1, Command.Renew("leased"u8.ToArray(), 2000)),
            new(at + 5, 1, Command.CompareAndSwap("a"u8.ToArray(), "1"u8.ToArray(), "2"u8.ToArray())),
            new(at + 6, 1, Command.CompareAndDelete("a"u8.ToArray(), "none"u8.ToArray())),
            new(at + 7, 1, Command.Delete("a"u8.ToArray())),
            new(at + 8, 1, Command.Delete(new byte[0])),
        ];
        engine.ApplyChunk(chunk, new ApplyResult[chunk.Length]);
    }

    private sealed class CountingSource : Varve.Diagnostics.IStatisticsSource
    {
        public int Reads { get; private set; }

        public bool IsClosed { get; set; }

        public EngineStatistics Read()
        {
            Reads++;
            return IsClosed ? throw new ObjectDisposedException("closed") : new EngineStatistics();
        }
    }
}
