using Varve.Format;
using Varve.Storage;
using Varve.Tables;
using Varve.Tests.Shared.Disk;
using Varve.Tests.Tables;
using Varve.Versions;
using Xunit;

namespace Varve.Tests.Versions;

/// <summary>
/// A run knows which of its tables can hold a key, with any number of tables and keys of every shape.
/// </summary>
public sealed class RunTests
{
    [Fact]
    public void TableOfKeyIsFirstNotEndingBelowIt()
    {
        for (var shape = 0; shape < TestRows.Shapes; shape++)
        {
            TestRow[] rows = [.. TestRows.OfShape(shape, shape, 300).OrderBy(row => row.Key, KeyOrder.Instance)];
            byte[][] probes = [.. TestRows.Probes(rows, shape), []];
            foreach (var tableCount in (ReadOnlySpan<int>)[1, 2, 7, 8, 9, 15, 16, 17, 40])
            {
                TableHandle[] tables = [.. rows.Chunk(Math.Max(1, rows.Length / tableCount)).Select(Handle)];
                var run = new Run(1, tables);
                foreach (var probe in probes)
                {
                    var expected = tables.Count(
                        table => KeyOrder.Instance.Compare(table.Descriptor.LargestKey, probe) < 0);
                    Assert.Equal(expected, run.IndexFor(probe));
                }

                foreach (var table in tables) table.Release();
            }
        }
    }

    /// <summary>Truncated bounds in a manifest do not order tables; the tables' own keys do.</summary>
    [Theory]
    [InlineData(1, 4, true)]
    [InlineData(4, 1, true)]
    [InlineData(1, 2, false)]
    [InlineData(1, 1, false)]
    public void TablesOfRunAreOrderedByWholeKeys(int first, int second, bool isSound)
    {
        var storage = new SimFs { Mappings = SimMappings.Copies };
        AddedTable[] added = [Add(1, first), Add(2, second)];
        var grouped = added.Select(table => table with { Table = Read(table.Table) }).GroupBy(table => table.RunOrder);
        if (!isSound)
        {
            Assert.Equal("table of a run", Assert.Throws<CorruptionException>(
                () => RunOpener.Open(storage, "/t", grouped, TestHash.Seed, new EngineOptions())).Kind);
            return;
        }

        var run = Assert.Single(RunOpener.Open(storage, "/t", grouped, TestHash.Seed, new EngineOptions()));
        Assert.Equal(Key(Math.Min(first, second)), run.SmallestKey);
        for (var i = 0; i < 8; i++)
            Assert.Equal(
                i >= first && i < first + 3 || i >= second && i < second + 3,
                run.Find(Key(i), TestHash.Of(Key(i))).Exists);
        foreach (var table in run.Tables) table.Release();

        AddedTable Add(ulong number, int from)
        {
            var written = TestTable.Write(
                Enumerable.Range(from, 3).Select(i => new TestRow(Key(i), RecordKind.Put, 0, [1])));
            storage[Path.Combine("/t", FileNames.Table(number))] = written.Bytes;
            return new AddedTable(1, written.Descriptor with { Number = number });
        }

        static TableDescriptor Read(TableDescriptor written) =>
            TableDescriptorCodec.TryDecode(TableDescriptorCodec.Encode(written), out var table, out var error)
                ? table
                : throw new InvalidOperationException(error.Reason);

        static byte[] Key(int i)
        {
            var key = new byte[200];
            key[^1] = (byte)i;
            return key;
        }
    }

    private static TableHandle Handle(TestRow[] rows)
    {
        var written = TestTable.Write(rows, blockBytes: 512);
        return new TableHandle(written.Storage, TestTable.Path, written.Open());
    }
}
