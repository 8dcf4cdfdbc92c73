using Varve.Tests.Tables;
using Varve.Versions;
using Xunit;

namespace Varve.Tests.Versions;

/// <summary>A run knows which of its tables can hold a key, with any number of tables and keys of every shape.</summary>
public sealed class RunTests
{
    [Fact]
    public void TheTableOfAKeyIsTheFirstThatDoesNotEndBelowIt()
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
                    var expected = tables.Count(table => KeyOrder.Instance.Compare(table.Descriptor.LargestKey, probe) < 0);
                    Assert.Equal(expected, run.IndexFor(probe));
                }

                foreach (var table in tables) table.Release();
            }
        }
    }

    private static TableHandle Handle(TestRow[] rows)
    {
        var written = TestTable.Write(rows, blockBytes: 512);
        return new TableHandle(written.Storage, TestTable.Path, written.Open());
    }
}
