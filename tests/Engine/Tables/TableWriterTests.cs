using System.Runtime.CompilerServices;
using Varve.Format;
using Varve.Storage;
using Varve.Tables;
using Varve.Tests.Shared.Disk;
using Xunit;
using Xunit.Abstractions;

namespace Varve.Tests.Tables;

/// <summary>The writer's refusals, counts, and sizes.</summary>
public class TableWriterTests(ITestOutputHelper output)
{
    [Fact]
    public void KeysThatDoNotAscendAreRefused()
    {
        using var writer = New();
        writer.Add([1, 2], RecordKind.Put, 0, []);
        Assert.Throws<ArgumentException>(() => writer.Add([1, 2], RecordKind.Put, 0, []));
        Assert.Throws<ArgumentException>(() => writer.Add([1], RecordKind.Put, 0, []));
        writer.Add([1, 2, 0], RecordKind.Put, 0, []);
        Assert.Equal(2, writer.RowCount);
    }

    [Fact]
    public void EmptyAndOversizedKeysAreRefused()
    {
        using var writer = New();
        Assert.Throws<ArgumentException>(() => writer.Add([], RecordKind.Put, 0, []));
        Assert.Throws<ArgumentException>(() => writer.Add(new byte[65_536], RecordKind.Put, 0, []));
        writer.Add(new byte[65_535], RecordKind.Put, 0, []);
    }

    [Fact]
    public void TombstoneWithValueIsRefused()
    {
        using var writer = New();
        Assert.Throws<ArgumentException>(() => writer.Add([1], RecordKind.Tombstone, 0, [1]));
    }

    [Fact]
    public void TableWithoutRowsIsRefused()
    {
        using var writer = New();
        Assert.Throws<InvalidOperationException>(() => writer.Finish());
    }

    [Fact]
    public void DescriptorCountsAddedRows()
    {
        var written = TestTable.Write(TestRows.OfShape(9, 4, 500));
        var d = written.Descriptor;
        Assert.Equal(written.Rows.Count, d.RowCount);
        Assert.Equal(written.Rows.Count(r => r.Kind == RecordKind.Tombstone), d.TombstoneCount);
        Assert.Equal(written.Rows.Count(r => r.Kind == RecordKind.LeasedPut), d.LeaseCount);
        Assert.Equal(written.Rows[0].Key, d.SmallestKey);
        Assert.Equal(written.Rows[^1].Key, d.LargestKey);
        Assert.Equal(written.Bytes.Length, d.Length);
        Assert.Equal(System.IO.Hashing.XxHash128.HashToUInt128(written.Bytes), d.Hash);
        using var table = written.Open();
        Assert.Equal(written.Rows.Where(r => r.Deadline != 0).Max(r => r.Deadline), table.Properties.LargestDeadline);
        Assert.Equal(written.Rows.Where(r => r.Deadline != 0).Min(r => r.Deadline), table.Properties.SmallestDeadline);
    }

    [Fact]
    public void LargeValueAfterSmallRowsKeepsThemReadable()
    {
        var written = TestTable.Write(
            [TestTable.Put("a", "1"), TestTable.Put(
                "b", "2"), TestTable.Put("c", new string('3', 300_000)), TestTable.Put("d", "4")],
            blockBytes: 1 << 20);
        using var table = written.Open();
        table.Verify();
        foreach (var row in written.Rows)
        {
            var found = table.Find(row.Key, TestHash.Of(row.Key));
            Assert.True(found.Exists && found.Value.SequenceEqual(row.Value));
        }
    }

    [Fact]
    public void SameRowsGiveSameBytes() =>
        Assert.Equal(
            TestTable.Write(TestRows.OfShape(9, 4, 500)).Bytes, TestTable.Write(TestRows.OfShape(9, 4, 500)).Bytes);

    [Fact]
    public void WriterEmitsGoldenTable()
    {
        var written = TestTable.Write(
            [
                TestTable.Put("key-00000001", new string('1', 40)), TestTable.Put("key-00000002", new string('2', 40)),
                TestTable.Leased("key-2", 5000, "leased"),
                TestTable.Put("key-20000000000", "a tail"), TestTable.Tombstone("key-21"),
            ],
            blockBytes: 256);
        Assert.Equal(GoldenBytes("table"), written.Bytes);
        using var table = written.Open();
        table.Verify();
    }

    [Fact]
    public void EstimateIsNearLength()
    {
        var rows = TestRows.OfShape(0, 8, 20_000);
        rows.Sort((a, b) => KeyOrder.Instance.Compare(a.Key, b.Key));
        using var file = new SimFs().Open("/t", FileIntent.CreateNew);
        using var writer = new TableWriter(file, TestTable.Origin, 1, TestHash.Seed, 8192, 10);
        foreach (var row in rows)
            writer.Add(row.Key, row.Kind, row.Deadline, row.Value);
        var estimate = writer.EstimatedLength;
        Assert.InRange(estimate, writer.Finish().Length * 0.98, estimate * 1.02);
    }

    [Fact]
    public void SmallRowsTakeLessThanTenPercentOverhead()
    {
        var written = TestTable.Write(TestRows.OfShape(0, 8, 50_000));
        var overhead = written.Bytes.Length / (116.0 * written.Rows.Count) - 1;
        output.WriteLine($"16-byte keys, 100-byte values, filter of 10 bits: {overhead:P2} over the data");
        Assert.InRange(overhead, 0, 0.1);
    }

    [Theory]
    [InlineData(6, 0.05, 0.11)]
    [InlineData(10, 0.005, 0.015)]
    [InlineData(16, 0.0003, 0.002)]
    public void FilterFalsePositiveRateIsAsExpected(int bits, double least, double most)
    {
        using var table = TestTable.Write(TestRows.OfShape(0, 8, 50_000), 8192, bits).Open();
        var random = new Random(77);
        var key = new byte[16];
        var lies = 0;
        const int probes = 200_000;
        for (var i = 0; i < probes; i++)
        {
            random.NextBytes(key);
            lies += table.MayContain(TestHash.Of(key)) ? 1 : 0;
        }
        output.WriteLine($"{bits} bits a key: {lies / (double)probes:P3}");
        Assert.InRange(lies / (double)probes, least, most);
    }

    [Fact]
    public void MissingFilterAdmitsEveryKey()
    {
        using var table = TestTable.Write(TestRows.OfShape(0, 8, 50), 8192, 0).Open();
        Assert.True(table.MayContain(123));
        table.PrefetchFilter(123);
        Assert.False(table.Find([1, 2, 3], TestHash.Of([1, 2, 3])).Exists);
    }

    [Fact]
    public void ReadsAllocateNothing()
    {
        var written = TestTable.Write(TestRows.OfShape(9, 4, 1000));
        using var table = written.Open();
        byte[][] keys = [.. written.Rows.Select(r => r.Key)];
        var copy = new byte[100];
        long Round()
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            var cursor = new TableCursor(table);
            foreach (var key in keys)
            {
                table.Find(key, TestHash.Of(key));
                table.MayContain((ulong)key.Length);
                cursor.Seek(key);
                cursor.SeekBefore(key);
            }
            for (var ok = cursor.SeekFirst(); ok; ok = cursor.MoveNext())
                cursor.CopyKeyTo(copy);
            var leases = table.Leases(0, ulong.MaxValue);
            while (leases.MoveNext())
                leases.CopyKeyTo(copy);
            return GC.GetAllocatedBytesForCurrentThread() - before;
        }
        Round();
        Assert.Equal(0, Round());
    }

    /// <summary>The bytes of a golden file: offset, bytes, and after a # their meaning.</summary>
    private static byte[] GoldenBytes(string name, [CallerFilePath] string caller = "") =>
    [
        .. File.ReadLines(Path.Combine(Path.GetDirectoryName(caller)!, "../../Format/golden", name + ".hex.txt"))
            .SelectMany(line => line.Split('#')[0].Split(' ', StringSplitOptions.RemoveEmptyEntries).Skip(1))
            .Select(value => Convert.ToByte(value, 16)),
    ];

    private static TableWriter New() =>
        new(new SimFs().Open("/t", FileIntent.CreateNew), TestTable.Origin, 1, TestHash.Seed, 8192, 10);
}
