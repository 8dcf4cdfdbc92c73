using System.Text;
using Microsoft.Extensions.Time.Testing;
using Varve.Background;
using Varve.Tests.Engine.Recovery;

namespace Varve.Tests.Engine.Leases;

/// <summary>Machines for the lease tests, each with its own clock, all started at the same time.</summary>
internal sealed class LeaseMachine : IDisposable
{
    public static readonly DateTimeOffset Start = DateTimeOffset.FromUnixTimeMilliseconds(1_700_000_000_000);

    private readonly Database _database = new();
    private readonly EngineOptions _options;
    private readonly EngineSeams? _seams;

    public LeaseMachine(EngineOptions? options = null, EngineSeams? seams = null)
    {
        _options = (options ?? Database.Small) with { TimeProvider = Clock };
        _seams = seams;
        Engine = _database.Open(_options, _seams);
    }

    public FakeTimeProvider Clock { get; } = new(Start);

    public LsmStateMachine Engine { get; private set; }

    public string LastSegment() => _database.LastSegment();

    public void Advance(double seconds) => Clock.Advance(TimeSpan.FromSeconds(seconds));

    /// <summary>The next entry, a put with a lease or none.</summary>
    public void Put(string key, ulong ttl = 0, ulong stamp = 0) =>
        Apply(Command.Insert(Encoding.UTF8.GetBytes(key), "v"u8.ToArray(), ttl), stamp);

    public bool Apply(Command command, ulong stamp = 0)
    {
        var results = new ApplyResult[1];
        Engine.ApplyChunk([new ApplyEntry(Engine.LastApplied.Index + 1, 1, command, stamp)], results);
        return results[0].Succeeded;
    }

    public bool Has(string key) => Engine.Get(Encoding.UTF8.GetBytes(key)) is not null;

    /// <summary>The reported keys, as they are reported, with blanks between them.</summary>
    public string CleanUp() =>
        string.Join(' ', Engine.LeaseBackgroundCleanupAsync().Result.Select(key => Encoding.UTF8.GetString(key.Span)));

    /// <summary>Live keys, by the scan and by the count, which must agree.</summary>
    public long Live()
    {
        var scanned = Engine.ScanPrefix([]).Entries.Count;
        return Engine.Count == scanned
            ? scanned
            : throw new InvalidOperationException($"the count is {Engine.Count}, a scan shows {scanned}");
    }

    /// <summary>The rows of all tables, whatever they are.</summary>
    public long Rows() => Engine.GetStatistics().Runs.Sum(run => run.Rows);

    public void Compact() => Engine.CompactAsync().Wait();

    public void Reopen(double setBack = 0)
    {
        Engine.Dispose();
        if (setBack != 0) Clock.AdjustTime(Clock.GetUtcNow() - TimeSpan.FromSeconds(setBack));
        Engine = _database.Open(_options, _seams);
    }

    public (SnapshotMetadata Metadata, string Path) Snapshot(ulong? index = null)
    {
        var path = System.IO.Path.Combine(_database.Root, $"snapshot-{Guid.NewGuid():N}");
        var last = new LogId(index ?? Engine.LastApplied.Index, 1);
        return (new SnapshotMetadata(last, Engine.GenerateSnapshotDataAsync(path, last).Result), path);
    }

    public void Install((SnapshotMetadata Metadata, string Path) snapshot) =>
        Engine.ApplySnapshotFromFileAsync(snapshot.Metadata, snapshot.Path).Wait();

    public void Dispose()
    {
        Engine.Dispose();
        _database.Dispose();
    }
}
