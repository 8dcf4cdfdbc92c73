using Varve.Background;
using Varve.Format;
using Varve.Storage;
using Varve.Tests.Engine.Recovery;
using Xunit;

namespace Varve.Tests.Engine.Wal;

/// <summary>A segment that ends names its successor, so that a missing segment at the log's end is noticed.</summary>
public sealed class SealedSegmentTests : IDisposable
{
    private readonly Database _database = new(scheduler: new ManualScheduler());
    private readonly EngineOptions _options = Database.Small with { SealedMemtablesMax = 64 };

    public void Dispose() => _database.Dispose();

    [Fact]
    public void MissingLastSegmentIsCorruption()
    {
        using (var machine = _database.Open(_options)) NumberedLog.ApplyUpTo(machine, 600);
        var segments =
            _database.Files(FileNames.SegmentSuffix).Where(path => Database.Records(path).Count > 0).ToList();
        Assert.True(segments.Count > 1);
        Assert.Equal(WalRecordType.Sealed, Database.Records(segments[^2])[^1].Type);
        File.Delete(segments[^1]);
        Assert.Equal(segments[^1], Assert.Throws<CorruptionException>(() => _database.Open(_options).Dispose()).Path);
        Assert.Throws<CorruptionException>(() => _database.Open(_options with { ReadOnly = true }).Dispose());
    }

    /// <summary>
    /// Power was lost after the sealed record was stored and before the next segment was: the log continues in a third.
    /// </summary>
    [Fact]
    public void EmptySegmentIsDroppedOnlyAfterAnotherIsNamed()
    {
        using (var machine = _database.Open(_options)) NumberedLog.ApplyUpTo(machine, 600);
        var last = _database.LastSegment();
        Database.Zero(last, WalSegmentHeader.Size, (int)(new FileInfo(last).Length - WalSegmentHeader.Size));
        ulong index;
        using (var machine = _database.Open(_options)) index = NumberedLog.AssertIsWhole(machine);
        Assert.InRange(index, 1UL, 599UL);
        File.Delete(last); // recycled by now, or as good as
        using (var machine = _database.Open(_options))
        {
            Assert.Equal(index, NumberedLog.AssertIsWhole(machine));
            NumberedLog.ApplyUpTo(machine, 900);
        }

        using var again = _database.Open(_options);
        Assert.Equal(900UL, NumberedLog.AssertIsWhole(again));
    }
}
