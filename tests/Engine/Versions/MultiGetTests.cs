using Varve.Reading;
using Varve.Tables;
using Varve.Tests.Tables;
using Xunit;

namespace Varve.Tests.Versions;

/// <summary>A group of keys is answered as its keys are one by one: by the newest run that has the key.</summary>
public sealed class MultiGetTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5)]
    public void GroupMatchesModel(int runCount)
    {
        for (var shape = 0; shape < TestRows.Shapes; shape++)
        {
            List<TestRow>[] rows = [.. Enumerable.Range(0, runCount).Select(
                run => TestRows.OfShape(shape, 100 * shape + run, 20 + 300 / runCount))];
            var model = new Dictionary<byte[], TestRow>(KeyOrder.Instance);
            foreach (var row in rows.Reverse().SelectMany(run => run)) model[row.Key] = row;
            Run[] runs = [.. rows.Select(
                (run, age) => new Run((ulong)(runCount - age), Tables(run, tables: 1 + (7 * shape + age) % 40)))];
            var random = new Random(shape);
            byte[][] probes = [.. TestRows.Probes([.. model.Values], shape), [], .. model.Keys];
            random.Shuffle(probes);
            for (var first = 0; first < probes.Length;)
            {
                var count = Math.Min(random.Next(1, MultiGet.KeysMax + 1), probes.Length - first);
                Check(runs, model, probes.AsSpan(first, count));
                first += count;
            }

            foreach (var table in runs.SelectMany(run => run.Tables)) table.Release();
        }
    }

    private static void Check(Run[] runs, Dictionary<byte[], TestRow> model, ReadOnlySpan<byte[]> probes)
    {
        var keys = new ReadOnlyMemory<byte>[probes.Length];
        for (var i = 0; i < keys.Length; i++) keys[i] = probes[i];
        var found = new KeyVersion[keys.Length];
        MultiGet.Find(([], TestHash.Hasher), (runs, TestHash.Hasher), keys, ulong.MaxValue, found);
        for (var i = 0; i < keys.Length; i++)
        {
            Assert.Equal(model.TryGetValue(probes[i], out var row), found[i].Exists);
            if (!found[i].Exists) continue;
            Assert.Equal((row!.Kind, row.Deadline), (found[i].Kind, found[i].Deadline));
            Assert.True(found[i].Value.SequenceEqual(row.Value));
        }
    }

    private static TableHandle[] Tables(List<TestRow> rows, int tables)
    {
        rows.Sort((a, b) => KeyOrder.Instance.Compare(a.Key, b.Key));
        return [.. rows.Chunk(Math.Max(1, rows.Count / tables)).Select(Handle)];
    }

    private static TableHandle Handle(TestRow[] rows)
    {
        var written = TestTable.Write(rows, blockBytes: 512);
        return new TableHandle(written.Storage, TestTable.Path, written.Open());
    }
}
