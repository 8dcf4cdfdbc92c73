using System.Collections.Concurrent;
using System.Reflection;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Logging;
using Varve.Background;
using Varve.Storage;
using Varve.Tests.Engine.Callers;
using Varve.Tests.Engine.Recovery;
using Xunit;

namespace Varve.Tests.Engine.Diagnostics;

/// <summary>The ids of log events are those that alarms know; each event is logged when its cause comes.</summary>
public sealed partial class LogEventsTests : IDisposable
{
    private readonly Database _database = new();
    private readonly ConcurrentQueue<string> _events = new();

    private EngineOptions Options => Database.Small with { LoggerFactory = new ActingLogger(_events.Enqueue) };

    public void Dispose() => _database.Dispose();

    [Fact]
    public void IdsNamesAndLevelsMatchGuide() =>
        Assert.Equal(
            Row().Matches(Guide.Read("metrics.md")).Select(row => (
                int.Parse(row.Groups["id"].Value, System.Globalization.CultureInfo.InvariantCulture),
                row.Groups["name"].Value, row.Groups["level"].Value)),
            typeof(Varve.Runtime.Log).GetMethods(BindingFlags.Static | BindingFlags.Public)
                .Select(method => (method.Name, Event: method.GetCustomAttribute<LoggerMessageAttribute>()))
                .Where(method => method.Event is not null)
                .Select(method => (method.Event!.EventId, method.Name, method.Event.Level.ToString()))
                .OrderBy(logged => logged.EventId));

    [Fact]
    public void SlowSyncIsLoggedFromItsBoundOn()
    {
        var clock = new StoppedClock();
        var storage = new FaultInjector(Storages.Default);
        using var engine = _database.Open(
            Options with { SlowSyncAfter = TimeSpan.FromSeconds(2) }, new EngineSeams(storage, WorkClock: clock));
        var takes = TimeSpan.FromSeconds(1.9);
        var own = Environment.CurrentManagedThreadId; // another thread makes segments, and syncs them
        storage.Before = (operation, _) =>
            clock.Add(operation == "sync" && Environment.CurrentManagedThreadId == own ? takes : TimeSpan.Zero);
        NumberedLog.ApplyUpTo(engine, 1);
        engine.Flush();
        Assert.DoesNotContain("SyncWasSlow", _events);
        takes = TimeSpan.FromSeconds(2);
        NumberedLog.ApplyUpTo(engine, 2);
        engine.Flush();
        Assert.Equal(TimeSpan.FromSeconds(3.9), engine.GetStatistics().SyncTime);
        storage.Before = null;
        engine.Dispose();
        Awaits("Closed"); // events are in order
        Assert.Single(_events, name => name == "SyncWasSlow");
    }

    [Fact]
    public async Task LowDiskIsLoggedOnceUntilThereIsRoomAgain()
    {
        var storage = new SmallVolume { Free = 999 };
        using var engine = _database.Open(Options with { LowDiskBytes = 1000 }, new EngineSeams(storage));
        for (ulong last = 10; last <= 30; last += 10)
        {
            NumberedLog.ApplyUpTo(engine, last);
            await engine.CompactAsync();
        }

        Awaits("DiskIsLow");
        Assert.Equal(999, engine.GetStatistics().FreeDiskBytes);
        storage.Free = 1000;
        NumberedLog.ApplyUpTo(engine, 40);
        await engine.CompactAsync();
        Awaits("DiskHasRoom");
        Assert.Single(_events, name => name == "DiskIsLow");
    }

    [Fact]
    public async Task WorkAndItsFailuresAreLogged()
    {
        var clock = new ActingClock(() => { });
        using (var engine = _database.Open(Options with { TimeProvider = clock }))
        {
            NumberedLog.ApplyUpTo(engine, 10);
            await engine.CompactAsync();
            engine.ApplyChunk(
                [new ApplyEntry(11, 1, Command.Insert("l"u8.ToArray(), "v"u8.ToArray(), 5))], new ApplyResult[1]);
            await engine.CompactAsync();
            clock.Now = clock.Now.AddSeconds(6);
            Assert.Single(await engine.LeaseBackgroundCleanupAsync());
            Assert.Empty(await engine.LeaseBackgroundCleanupAsync());
            var taken = Path.Combine(_database.Root, "taken");
            Directory.CreateDirectory(Path.Combine(taken, "something"));
            await Assert.ThrowsAnyAsync<IOException>(
                () => engine.GenerateSnapshotDataAsync(taken, engine.LastApplied));
            await Assert.ThrowsAsync<SnapshotRejectedException>(() => engine.ApplySnapshotFromFileAsync(
                new SnapshotMetadata(engine.LastApplied, new byte[32]), taken));
            var (at, path) = (engine.LastApplied, Path.Combine(_database.Root, "snapshot"));
            var checksum = await engine.GenerateSnapshotDataAsync(path, at);
            using var staged = await engine.StageSnapshotAsync(new SnapshotMetadata(at, checksum), path);
            NumberedLog.ApplyUpTo(engine, 12);
            await Assert.ThrowsAsync<SnapshotRejectedException>(() => Task.Run(() => staged.Install()));
        }

        Awaits("Closed");
        foreach (var name in new[]
        {
            "Opened", "Flushed", "Compacted", "LeasesCleaned", "SnapshotFailed", "InstallFailed", "Closed"
        })
            Assert.Contains(name, _events);
        Assert.Single(_events, name => name == "LeasesCleaned");
        Assert.Equal(2, _events.Count(name => name == "InstallFailed"));

        foreach (var segment in _database.Files(".wal")) File.Delete(segment);
        Assert.ThrowsAny<IOException>(() => _database.Open(Options));
        Awaits("OpenFailed");
    }

    private void Awaits(string name) => Waiting.Until(() => _events.Contains(name));

    [GeneratedRegex(@"^\| (?<id>\d+) \| (?<name>\w+) \| (?<level>\w+) \|", RegexOptions.Multiline)]
    private static partial Regex Row();

    private sealed class SmallVolume() : StorageLayer(Storages.Default)
    {
        private long _free;

        public long Free
        {
            get => Volatile.Read(ref _free);
            set => Volatile.Write(ref _free, value);
        }

        public override long? SpaceLeft(string directory) => Free;
    }

    /// <summary>Stands still but for what a test adds.</summary>
    private sealed class StoppedClock : TimeProvider
    {
        private long _ticks;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public void Add(TimeSpan time) => Interlocked.Add(ref _ticks, time.Ticks);

        public override long GetTimestamp() => Volatile.Read(ref _ticks);
    }
}
