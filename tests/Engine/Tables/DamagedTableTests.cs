using Varve.Format;
using Varve.Tables;
using Xunit;

namespace Varve.Tests.Tables;

/// <summary>A damaged table is reported, or the damage touches nothing that is read; a wrong answer never.</summary>
public class DamagedTableTests
{
    private static TestTable Small(int filterBits = 10) => TestTable.Write(
        [
            TestTable.Put("apple", "red"), TestTable.Put("apricot", "orange"), TestTable.Tombstone("banana"),
            TestTable.Leased("cherry", 500, "dark"),
            TestTable.Put("cherry\0", ""), TestTable.Leased("fig", 300, "violet"),
            .. Enumerable.Range(0, 20).Select(i => TestTable.Put($"grape{i:D2}", $"green{i:D2}")),
        ],
        512,
        filterBits);

    [Fact]
    public void FlippedBitIsDetectedOrHarmlessAndVerifyFindsIt()
    {
        var table = Small();
        var sound = table.Bytes;
        int atOpen = 0, atRead = 0, harmless = 0;
        for (var bit = 0; bit < sound.Length * 8; bit++)
        {
            byte[] damaged = [.. sound];
            damaged[bit / 8] ^= (byte)(1 << bit % 8);
            table.Bytes = damaged;
            switch (Read(table, verifyMustFail: true))
            {
                case Outcome.FailedOpen: atOpen++; break;
                case Outcome.FailedRead: atRead++; break;
                default: harmless++; break;
            }
        }
        Assert.True(atOpen > 0 && atRead > 0);
        // Only Verify reads the zeros between regions.
        Assert.True(harmless <= 4 * 63 * 8, $"{atOpen} at open, {atRead} at read, {harmless} harmless");
        Assert.Equal(0, table.Storage.LiveMappings);
    }

    [Fact]
    public void TruncatedTableDoesNotOpenEvenWhenItsDescriptorAgrees()
    {
        var table = Small();
        var sound = table.Bytes;
        for (var length = 0; length < sound.Length; length++)
        {
            table.Bytes = sound[..length];
            Assert.Throws<CorruptionException>(() => table.Open());
            Assert.Throws<CorruptionException>(
                () => Table.Open(table.Storage, TestTable.Path, table.Descriptor with { Length = length }, false));
        }
    }

    [Fact]
    public void LongerTableDoesNotOpen()
    {
        var table = Small();
        table.Bytes = [.. table.Bytes, 0];
        Assert.Throws<CorruptionException>(() => table.Open());
    }

    [Fact]
    public void SwappedPagesAreDetected()
    {
        var table = TestTable.Write(TestRows.OfShape(0, 1, 600));
        var sound = table.Bytes;
        for (var a = 0; a + 4096 <= sound.Length; a += 4096)
        {
            for (var b = a + 4096; b + 4096 <= sound.Length; b += 4096)
            {
                byte[] damaged = [.. sound];
                sound.AsSpan(a, 4096).CopyTo(damaged.AsSpan(b));
                sound.AsSpan(b, 4096).CopyTo(damaged.AsSpan(a));
                table.Bytes = damaged;
                Assert.NotEqual(Outcome.Right, Read(table, verifyMustFail: true));
            }
        }
    }

    [Fact]
    public void SwappedBlocksOfSameSizeAreDetected()
    {
        var table = TestTable.Write(Enumerable.Range(0, 480).Select(i => TestTable.Put($"{i:D6}", "value")));
        byte[] damaged = [.. table.Bytes];
        var extent = (int)DataBlockHeader.Extent(BitConverter.ToUInt32(damaged));
        var first = damaged[..extent];
        damaged.AsSpan(extent, extent).CopyTo(damaged);
        first.CopyTo(damaged.AsSpan(extent));
        table.Bytes = damaged;
        Assert.Equal(Outcome.FailedRead, Read(table, verifyMustFail: true));
    }

    [Fact]
    public void OtherTableOfSameShapeDoesNotOpen()
    {
        var table = Small();
        Assert.Throws<CorruptionException>(
            () => Table.Open(table.Storage, TestTable.Path, table.Descriptor with { OriginNumber = 8 }, false));
        Assert.Throws<CorruptionException>(
            () => Table.Open(table.Storage, TestTable.Path, table.Descriptor with { Origin = Guid.Empty }, false));
    }

    [Fact]
    public void DescriptorThatDisagreesIsReported()
    {
        var table = Small();
        var d = table.Descriptor;
        foreach (var other in new[] { d with { RowCount = 1 }, d with
        {
            TombstoneCount = 0
        }, d with { LeaseCount = 1 }, d with { SmallestKey = [1] }, d with { LargestKey = [255] } })
            Assert.Throws<CorruptionException>(() => Table.Open(table.Storage, TestTable.Path, other, false));
        using var opened = Table.Open(table.Storage, TestTable.Path, d with { Hash = 1 }, false);
        Assert.Throws<CorruptionException>(() => opened.Verify());
    }

    [Fact]
    public void UnknownFormatVersionIsDistinguishedFromDamage()
    {
        var table = Small();
        byte[] bytes = [.. table.Bytes];
        bytes[^24] = 2;
        table.Bytes = bytes;
        Assert.Throws<CorruptionException>(() => table.Open());
        BitConverter.TryWriteBytes(
            bytes.AsSpan(bytes.Length - 16),
            System.IO.Hashing.XxHash3.HashToUInt64(bytes.AsSpan(^TableFooter.Bytes..^16)));
        table.Bytes = bytes;
        var refused = Assert.Throws<UnsupportedFormatException>(() => table.Open());
        Assert.Equal((bytes.Length - 24, "table of version 2 (this build reads 1)"), (refused.Offset, refused.Met));
    }

    [Fact]
    public void BlockIsCheckedOnceUnlessParanoid()
    {
        foreach (var paranoid in new[] { false, true })
        {
            var written = Small();
            using var table = written.Open(paranoid);
            var key = written.Rows[0].Key;
            var row = table.Find(key, TestHash.Of(key));
            Assert.True(row.Exists);
            unsafe
            {
                *row.ValueAddress ^= 1;
            }
            if (paranoid)
                Assert.Equal(
                    0, Assert.Throws<CorruptionException>(() => { table.Find(key, TestHash.Of(key)); }).Offset);
            else
                Assert.True(table.Find(key, TestHash.Of(key)).Exists);
        }
    }

    private enum Outcome
    {
        Right,
        FailedOpen,
        FailedRead,
    }

    /// <summary>Reads everything in every way; each answer must be right.</summary>
    private static Outcome Read(TestTable written, bool verifyMustFail)
    {
        Table table;
        try
        {
            table = written.Open();
        }
        catch (CorruptionException)
        {
            return Outcome.FailedOpen;
        }

        using (table)
        {
            var failures = 0;
            foreach (var expected in written.Rows)
                failures += Try(() => CheckGet(table, expected));
            failures += Try(() => CheckWalk(table, written));
            failures += Try(() => CheckLeases(table, written));
            if (verifyMustFail) Assert.Throws<CorruptionException>(() => table.Verify());
            return failures == 0 ? Outcome.Right : Outcome.FailedRead;
        }
    }

    private static int Try(Action check)
    {
        try
        {
            check();
            return 0;
        }
        catch (CorruptionException)
        {
            return 1;
        }
    }

    private static void CheckGet(Table table, TestRow expected)
    {
        var row = table.Find(expected.Key, TestHash.Of(expected.Key));
        Assert.True(row.Exists);
        AssertRow(expected, row);
        byte[] absent = [.. expected.Key, 1];
        Assert.False(table.Find(absent, TestHash.Of(absent)).Exists);
    }

    private static void CheckWalk(Table table, TestTable written)
    {
        var cursor = new TableCursor(table);
        var at = 0;
        for (var ok = cursor.SeekFirst(); ok; ok = cursor.MoveNext(), at++)
        {
            Assert.Equal(0, cursor.CompareKeyTo(written.Rows[at].Key));
            AssertRow(written.Rows[at], cursor.Row);
        }
        Assert.Equal(written.Rows.Count, at);
    }

    private static void CheckLeases(Table table, TestTable written)
    {
        var leases = table.Leases(0, ulong.MaxValue);
        foreach (var expected in written.Rows.Where(r => r.Kind == RecordKind.LeasedPut).OrderBy(r => r.Deadline))
        {
            Assert.True(leases.MoveNext());
            AssertRow(expected, leases.Row);
        }
        Assert.False(leases.MoveNext());
    }

    private static void AssertRow(TestRow expected, KeyVersion actual)
    {
        Assert.Equal(expected.Kind, actual.Kind);
        Assert.Equal(expected.Deadline, actual.Deadline);
        Assert.True(expected.Value.AsSpan().SequenceEqual(actual.Value));
    }
}
