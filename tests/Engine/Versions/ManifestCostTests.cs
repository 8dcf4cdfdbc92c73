using System.Buffers.Binary;
using Varve.Format;
using Varve.Storage;
using Varve.Tests.Shared.Disk;
using Varve.Tests.Tables;
using Varve.Versions;
using Xunit;

namespace Varve.Tests.Engine.Versions;

/// <summary>The cost of reading and writing a manifest, for any content.</summary>
public class ManifestCostTests
{
    private const ulong Salt = 77;

    /// <summary>Records seem to begin everywhere and to reach to the end; a whole one is among them.</summary>
    [Theory]
    [InlineData(64 << 10)]
    [InlineData(1 << 20)]
    public void RecordLookalikesAreHashedBoundedly(int length)
    {
        var file = new byte[length];
        for (var at = ManifestLog.HeaderSize; at + 36 <= file.Length; at += 16)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(file.AsSpan(at + 8), (uint)((file.Length - at - 20) & ~7) - 8);
            BinaryPrimitives.WriteUInt64LittleEndian(file.AsSpan(at + 12), (ulong)at);
        }

        var place = length / 2 & -8;
        ManifestLog.EncodeRecord(Salt, place, new byte[200]).CopyTo(file, place);
        var found = ManifestScan.Find(file, ManifestLog.HeaderSize, Salt, out var hashed);
        Assert.Equal([place], found);
        Assert.InRange(hashed, 200, 32L * length);
    }

    [Fact]
    public void DenseShortRecordsAreFound()
    {
        var file = new byte[1 << 16];
        var places = new List<long>();
        for (var at = 48 + 400; at + 600 < file.Length; at += 400)
        {
            ManifestLog.EncodeRecord(Salt, at, new byte[300]).CopyTo(file, at);
            places.Add(at);
        }

        Assert.Equal(places, ManifestScan.Find(file, 48, Salt, out _));
    }

    /// <summary>A manifest of many tables is not written whole at every commit.</summary>
    [Fact]
    public void LargeManifestDoublesBeforeRewrite()
    {
        const int Tables = 30_000;
        using var storage = new SimFs();
        storage.CreateDirectory("/t");
        var key = new byte[TableDescriptor.BoundBytesMax];
        AddedTable Table(int i)
        {
            BinaryPrimitives.WriteInt32BigEndian(key, i);
            return new AddedTable(1, new TableDescriptor
            {
                Origin = TestTable.Origin,
                OriginNumber = (ulong)i,
                Number = (ulong)i,
                Length = 4096,
                Hash = 1,
                RowCount = 1,
                TombstoneCount = 0,
                LeaseCount = 0,
                SmallestKey = [.. key],
                LargestKey = [.. key],
            });
        }

        var first = new VersionEdit
        {
            NextFileNumber = Tables,
            FirstSegment = 0,
            State = MachineState.Empty(1, StoredLeaseClock.Local),
            Added = [.. Enumerable.Range(0, Tables).Select(Table)],
        };
        using var store = ManifestStore.Create(storage, "/t", TestTable.Origin, new FileNumbers(Tables), first);
        var live = store.BytesWritten;
        Assert.True(live > 5 << 20);
        for (ulong i = 0; i < 20; i++) store.Append(new VersionEdit { NextFileNumber = Tables + i, FirstSegment = i });
        Assert.InRange(store.BytesWritten - live, 20 * 40, 20 * 100);
        var number = store.Number;
        for (var i = 0; store.Number == number && i < 4; i++) store.Append(first with { Replace = true });
        Assert.NotEqual(number, store.Number);
        Assert.InRange(store.BytesWritten, 3 * live, 5 * live);
    }
}
