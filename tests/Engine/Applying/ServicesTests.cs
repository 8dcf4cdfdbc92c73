using System.Text;
using Varve.Background;
using Varve.Commit;
using Varve.Compaction;
using Varve.Diagnostics;
using Varve.Format;
using Varve.LiveKeys;
using Varve.Memtables;
using Varve.Reading;
using Varve.Runtime;
using Varve.Snapshots;
using Varve.Storage;
using Varve.Tests.Shared.Disk;
using Varve.Versions;
using Varve.Wal;
using Xunit;

namespace Varve.Tests.Engine.Applying;

/// <summary>
/// The services of an engine, each built by its constructor on files in memory: no directory is claimed, no database is
/// opened, no thread is started.
/// </summary>
public sealed class ServicesTests : IDisposable
{
    private static readonly EngineOptions Options = new() { MemtableBytes = 1 << 20 };

    private readonly EngineSeams _seams = new(new SimFs(), new ManualScheduler());
    private readonly EngineContext _engine;
    private readonly VersionSet _versions;
    private readonly WalWriter _wal;
    private readonly MemtableSupply _supply;
    private readonly LiveKeyCounter _liveKeys;
    private readonly History _history;
    private readonly ReadSessions _sessions;
    private readonly FlushProgress _progress;
    private readonly WalSyncer _syncer;
    private readonly ChunkBuffers _buffers = new(null);
    private readonly MemtableRotation _rotation;
    private readonly WriteThrottle _throttle;
    private readonly CommitPipeline _commit;

    public ServicesTests()
    {
        var log = new EngineLog(null);
        _engine = new EngineContext(
            Options, new EngineState(Options, log), new EngineClock(Options, 0), new EngineCounters(), log,
            new EngineTelemetry("db", null), new WakeSignal(), null, new ChangeSignal());
        var (storage, id, numbers) = (_seams.Storage!, Guid.NewGuid(), new FileNumbers(1));
        storage.CreateDirectory("db");
        var state = MachineState.Empty(1, StoredLeaseClock.Local);
        var manifest = ManifestStore.Create(
            storage, "db", id, numbers, new VersionEdit { NextFileNumber = 1, FirstSegment = 0, State = state });
        var pool = new SegmentPool(storage, "db", id, numbers, Options.MemtableBytes, isSynced: true);
        var segment = pool.Acquire(1 << 10, pool.Length);
        _supply = new MemtableSupply(Options, pool);
        _supply.Start(segment.Length);
        var version = new DbVersion(new StateGeneration(state, 100), [_supply.Over(segment)], [], state);
        _versions = new VersionSet(storage, "db", id, numbers, manifest, version, 0);
        _wal = new WalWriter(segment, default, default, default, isSynced: false);
        _liveKeys = new LiveKeyCounter(version);
        _history = new History(Options.HistoryEntries, Options.HistoryBytes, _versions.Reclaimer);
        _sessions = new ReadSessions(
            _versions, _versions.Pins, _engine.Clock, _engine.State, new ViewClock(Options.TimeProvider), null);
        _progress = new FlushProgress(_versions);
        var publisher = new Publisher(_engine, _versions, _wal);
        _syncer = new WalSyncer(_engine, _seams, _versions, _wal, _supply, publisher, default);
        _rotation = new MemtableRotation(_engine, _versions, _wal, _supply, _syncer, _buffers);
        _throttle = new WriteThrottle(_engine, _seams, _versions, _supply.Budget, _wal, _progress);
        _commit = new CommitPipeline(
            _engine, _versions, _wal, _buffers, _rotation, publisher, _syncer, _throttle);
        _commit.Async = new AsyncApplier(_engine, _seams, _commit, _syncer, _throttle);
    }

    public void Dispose()
    {
        _syncer.Dispose();
        _versions.Dispose();
        _versions.Current.Release();
        _supply.Dispose();
    }

    [Fact]
    public void CommitPipelineAppliesChunk()
    {
        Apply(1, "a", "1");
        Assert.Equal(1u, _wal.Position.Index);
        Assert.Equal(1u, _versions.Current.Applied.Index);
        Assert.Equal("1"u8, new PointReads(_versions, _sessions, _liveKeys, _engine.State).Get("a"u8)!);
    }

    [Fact]
    public void StoppedEngineStateRefusesReads()
    {
        _engine.State.Stop();
        Assert.Throws<InvalidOperationException>(_engine.State.EnsureReadable);
        _engine.State.Start();
        _engine.State.EnsureReadable();
    }

    [Fact]
    public void EngineClockNeverGoesBack()
    {
        Assert.Equal(7u, _engine.Clock.Raise(7));
        Assert.Equal(7u, _engine.Clock.Raise(3));
        Assert.Equal(7u, _engine.Clock.SeenLocal);
    }

    [Fact]
    public void MemtableSupplyMakesMemtable()
    {
        var memtable = _supply.Next(1 << 10, filled: null);
        Assert.True(memtable.Segment.Number > _wal.Active.Number);
        memtable.Release();
    }

    [Fact]
    public void ReadSessionKeepsStateOfItsView()
    {
        Apply(1, "a", "1");
        using var view = _sessions.OpenView();
        Apply(2, "a", "2");
        Assert.Equal(1u, view.Revision);
        Assert.True(view.TryGet("a"u8, out var value));
        Assert.Equal("1"u8, value);
        Assert.Equal(2u, _sessions.Position.Index);
    }

    [Fact]
    public void BackgroundSchedulerCompacts()
    {
        Apply(1, "a", "1");
        var horizon = new LeaseHorizon(_engine, _versions, _wal, _liveKeys);
        var completion = new FlushCompletion(_engine, _versions, _history, _wal, _supply, _syncer, _buffers);
        var jobs = new CompactionScheduler(
            _engine, _versions, _syncer, _liveKeys, horizon, completion, _progress, _throttle);
        using var background = new BackgroundScheduler(
            _engine, _seams, _versions, _wal, jobs, _progress, completion, _supply, _rotation, horizon, _syncer);
        background.Start();
        var compaction = background.CompactAsync(default);
        _seams.Scheduler!.Run();
        Assert.True(compaction.IsCompletedSuccessfully, $"{compaction.Exception}");
        Assert.Single(_versions.Current.Runs);
        background.EndIdleDetection();
    }

    [Fact]
    public void SnapshotServiceRecordsSnapshot()
    {
        Apply(1, "a", "1");
        var snapshots = new SnapshotService(
            _engine, _versions, _wal, _sessions, _history, _liveKeys, _commit, _rotation, _syncer, _progress,
            new LongRunningTasks(_seams));
        snapshots.Record(new SnapshotMetadata(new LogId(1, 1), new byte[32]));
        Assert.Equal(1u, _versions.Current.Generation.Snapshots.Last!.LastIncluded.Index);
    }

    private void Apply(ulong index, string key, string value) =>
        _commit.Apply(
            [new ApplyEntry(index, 1, Command.Insert(Encoding.UTF8.GetBytes(key), Encoding.UTF8.GetBytes(value)))],
            new ApplyResult[1]);
}
