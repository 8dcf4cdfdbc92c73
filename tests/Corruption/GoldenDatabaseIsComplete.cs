using Varve.Background;
using Varve.Format;
using Varve.Storage;
using Varve.Tables;
using Varve.Tests.Corruption.Golden;
using Xunit;

namespace Varve.Tests.Corruption;

/// <summary>
/// The golden database contains every kind of file, record and region, so that a kind which a later change removes
/// fails here and does not go untested.
/// </summary>
public sealed class GoldenDatabaseIsComplete : IAsyncLifetime
{
    private GoldenDatabase _golden = null!;
    private SegmentMap _map = null!;

    public async Task InitializeAsync()
    {
        _golden = await GoldenDatabase.BuildAsync(Durability.Power, close: false);
        _map = SegmentMap.Of(_golden.Disk, GoldenDatabase.Directory);
    }

    public Task DisposeAsync()
    {
        _golden.Dispose();
        return Task.CompletedTask;
    }

    [Fact]
    public void GoldenDatabaseHasAtLeastOneMebibyte() =>
        Assert.True(
            Regions.OfDatabase(_golden).Concat(Regions.OfSnapshot(_golden)).Sum(region => region.Bits) >= 8 << 20);

    [Fact]
    public void EveryByteOfEveryFileIsInOneRegion()
    {
        foreach (var file in Regions.OfDatabase(_golden).Concat(Regions.OfSnapshot(_golden))
            .GroupBy(region => region.Path))
        {
            long at = 0;
            foreach (var region in file.OrderBy(region => region.Begin))
            {
                Assert.Equal(at, region.Begin);
                at = region.End;
            }

            Assert.Equal(_golden.Disk.Span(file.Key).Length, at);
        }

        Assert.Equal(Truncations.AllFiles(_golden.Disk).Order(), Regions.OfDatabase(_golden)
            .Concat(Regions.OfSnapshot(_golden)).Select(region => region.Path).Distinct().Order());
    }

    [Fact]
    public void EveryFileKindIsPresent()
    {
        var names = _golden.Disk.Files(GoldenDatabase.Directory).Select(path => Path.GetFileName(path)).ToList();
        Assert.Contains(FileNames.Identity, names);
        Assert.Contains(FileNames.Current, names);
        Assert.Contains(FileNames.Lock, names);
        foreach (var suffix in new[] { FileNames.ManifestSuffix, FileNames.SegmentSuffix, FileNames.TableSuffix })
            Assert.Contains(names, name => name.EndsWith(suffix, StringComparison.Ordinal));
        Assert.True(_golden.Disk.FileExists(Path.Combine(GoldenDatabase.SnapshotDirectory, SnapshotNames.Manifest)));
        Assert.True(_golden.Disk.FileExists(GoldenDatabase.PackedSnapshot));
    }

    [Fact]
    public void EveryRecordColumnAndOperationKindIsPresent()
    {
        Assert.Equal(
            Enum.GetValues<WalRecordType>(), _map.Records.Select(record => record.Header.Type).Distinct().Order());
        Assert.Equal(
            ColumnFlags.All, _map.Records.Aggregate(default(ColumnFlags), (all, record) => all | record.Header.Flags));
        var kinds = new SortedSet<RecordKind>();
        foreach (var record in _map.Records.Where(record => record.Header.Type == WalRecordType.Chunk))
        {
            var offset = (int)(record.Header.Offset + WalRecordHeader.Size + record.Header.PayloadLength);
            for (var i = 0; i < record.Header.OperationCount; i++)
            {
                var operation = _golden.Disk.Span(record.Path)[offset..];
                Assert.True(WalOperation.TryMeasure(operation, out var size, out _));
                kinds.Add((RecordKind)operation[18]);
                offset += size;
            }
        }

        Assert.Equal(Enum.GetValues<RecordKind>(), kinds);
    }

    [Fact]
    public void EverySegmentKindIsPresent()
    {
        Assert.True(_map.Chain.Count >= 3, "two sealed ones and the active one");
        Assert.NotEmpty(_map.Stale); // history
        // A recycled one.
        Assert.Contains(
            _map.Ready, path => _golden.Disk.Span(path)[WalSegmentHeader.Size..].ContainsAnyExcept((byte)0));
        Assert.Contains(
            Regions.OfDatabase(_golden), region => region.Expected == Verdict.Gap && region.File == "segment");
    }

    [Fact]
    public void EveryEditKindIsPresent()
    {
        var edits = ManifestRecords.Of(_golden.Disk, GoldenDatabase.Directory, out _).ConvertAll(record => record.Edit);
        Assert.Contains(edits, edit => edit.Replace && edit.Added.Length > 0);
        Assert.Contains(edits, edit => edit.Added.Length > 0 && edit.Removed.Length == 0 && edit.State is not null);
        Assert.Contains(edits, edit => edit.Added.Length > 0 && edit.Removed.Length > 0);
        Assert.Contains(edits, edit => edit.State is null);
    }

    [Fact]
    public void EveryTableRegionAndSeveralRunsArePresent()
    {
        var runs = _map.Manifest.Runs.Select(run => run.ToList()).ToList();
        Assert.True(runs.Count >= 3);
        Assert.True(runs[^1].Count >= 2, "the bottom has several tables");
        Assert.Contains(runs[0], table => table.Table.TombstoneCount > 0);
        Assert.Contains(runs[^1], table => table.Table.LeaseCount > 0);
        foreach (var (_, descriptor) in runs.SelectMany(run => run))
        {
            using var table = Table.Open(
                _golden.Disk, Path.Combine(GoldenDatabase.Directory, FileNames.Table(descriptor.Number)), descriptor,
                paranoid: false);
            Assert.True(table.BlockCount > 4);
            table.Verify();
        }

        foreach (var name in new[] { "data blocks", "leases", "filter", "index", "properties", "padding", "footer" })
            Assert.Contains(Regions.OfDatabase(_golden), region => region.File == "table" && region.Name == name);
    }

    [Fact]
    public async Task ContentIsFunctionOfSeed()
    {
        using var again = await GoldenDatabase.BuildAsync(Durability.Power, close: false);
        Assert.Equal(_golden.Log.Last, again.Log.Last);
        Assert.Equal(Content(_golden), Content(again));

        // All but the numbers of files, which come from one counter for two threads.
        static IEnumerable<object> Content(GoldenDatabase golden)
        {
            var map = SegmentMap.Of(golden.Disk, GoldenDatabase.Directory);
            return map.Records.Select(record =>
                (object)(record.Header.Type, record.Header.Offset, record.Header.Length, record.Header.LastIndex))
                .Concat(map.Manifest.Runs.SelectMany(run => run).Select(added => (object)(
                    added.Table.Length, added.Table.RowCount, added.Table.TombstoneCount, added.Table.LeaseCount)));
        }
    }

    [Fact]
    public void UndamagedDatabaseOpensAndItsSnapshotInstalls()
    {
        Assert.Equal(
            new Observation(Verdict.Harmless, null, _golden.Log.Last.Index), StateReader.Read(_golden.Disk, _golden));
        new Judge(_golden).AssertWorkContinues(_golden.Disk, _golden.Log.Last.Index);
        using var snapshots = new SnapshotReader(_golden, _golden.Disk);
        Assert.Equal(Verdict.Harmless, snapshots.Read(isPacked: false).Verdict);
        Assert.Equal(Verdict.Harmless, snapshots.Read(isPacked: true).Verdict);
        foreach (var (when, disk, index) in _golden.Earlier)
        {
            using var machine = LsmStateMachine.Open(
                GoldenDatabase.Directory, GoldenDatabase.Options with { ReadOnly = true }, new EngineSeams(disk));
            Assert.True(index == StateReader.Compare(machine, _golden.Log), when);
        }
    }
}
