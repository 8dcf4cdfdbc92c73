using Varve.Format;
using Varve.Memtables;

namespace Varve.Bench.Micro.Memtables;

/// <summary>
/// The memtable's figures in seconds: nanoseconds an operation, medians of a few runs, both designs interleaved.
/// </summary>
internal static unsafe class MemtableQuick
{
    public static void Run(int count, int rounds)
    {
        var results = new Dictionary<string, List<double>>();
        using var random = new MemtableWorkload(count);
        using var ascending = new MemtableWorkload(count, ascending: true);
        for (var round = 0; round < rounds; round++)
        {
            Block(random, results, "");
            Plain(random, results, "");
            Block(ascending, results, ", ascending");
            Plain(ascending, results, ", ascending");
        }

        Console.WriteLine(
            $"{count:N0} keys of {MemtableWorkload.KeySize} bytes, ns of processor time an operation, median of "
                + $"{rounds - 1} after one to warm up");
        foreach (var (name, values) in results)
        {
            var sorted = values.Skip(1).Order().ToArray();
            Console.WriteLine(
                $"{name,-44} {sorted[sorted.Length / 2],8:F1}   (min {sorted[0]:F1}, max {sorted[^1]:F1})");
        }
    }

    private const int Chunk = 100;

    private static void Block(MemtableWorkload work, Dictionary<string, List<double>> results, string suffix)
    {
        using (var memory = new IndexMemory(work.SegmentBytes))
        {
            var chunked = new MemtableIndex(work.Segment, memory);
            chunked.Populate(work.Count);
            Time("insert by chunks of 100, block" + suffix, () =>
            {
                for (var from = 0; from < work.Count; from += Chunk)
                {
                    var to = Math.Min(from + Chunk, work.Count);
                    for (var i = from; i < to; i++) chunked.Prefetch(work.Hashes[i]);
                    for (var i = from; i < to; i++) chunked.InsertExact(work.References[i], work.Hashes[i]);
                    chunked.InsertOrdered(work.References.AsSpan(from, to - from));
                }
            });
        }

        using (var memory = new IndexMemory(work.SegmentBytes))
        {
            var halves = new MemtableIndex(work.Segment, memory);
            halves.Populate(work.Count);
            Time("  of it InsertExact" + suffix, () =>
            {
                for (var from = 0; from < work.Count; from += Chunk)
                {
                    var to = Math.Min(from + Chunk, work.Count);
                    for (var i = from; i < to; i++) halves.Prefetch(work.Hashes[i]);
                    for (var i = from; i < to; i++) halves.InsertExact(work.References[i], work.Hashes[i]);
                }
            });
            Time("  of it InsertOrdered" + suffix, () =>
            {
                for (var from = 0; from < work.Count; from += Chunk)
                    halves.InsertOrdered(work.References.AsSpan(from, Math.Min(from + Chunk, work.Count) - from));
            });
        }

        using var indexMemory = new IndexMemory(work.SegmentBytes);
        var index = new MemtableIndex(work.Segment, indexMemory);
        index.Populate(work.Count);
        Time("insert, block" + suffix, () =>
        {
            for (var i = 0; i < work.Count; i++) index.Insert(work.References[i], work.Hashes[i]);
        });
        Time("present, block" + suffix, () =>
        {
            var misses = 0;
            foreach (var i in work.Order)
            {
                var key = work.Key(i);
                if (index.FindVisible(key, TestHash.Of(key), ulong.MaxValue).IsNone) misses++;
            }

            if (misses != 0) throw new InvalidOperationException("a present key was not found");
        });
        Time("absent, block" + suffix, () =>
        {
            var hits = 0;
            for (var i = 0; i < work.Count; i++)
            {
                var key = work.AbsentKey(i);
                if (!index.FindVisible(key, TestHash.Of(key), ulong.MaxValue).IsNone) hits++;
            }

            if (hits != 0) throw new InvalidOperationException("an absent key was found");
        });
        var cursor = new MemtableCursor(index);
        Time("seek, block" + suffix, () =>
        {
            foreach (var i in work.Order) cursor.Seek(work.Key(i));
        });
        var sum = 0UL;
        Time("scan forward a row, block" + suffix, () =>
        {
            for (var valid = cursor.SeekFirst(); valid; valid = cursor.MoveNext())
                sum += index.OperationAt(cursor.Reference).Index;
        });
        Time("scan backward a row, block" + suffix, () =>
        {
            for (var valid = cursor.SeekLast(); valid; valid = cursor.MovePrevious())
                sum += index.OperationAt(cursor.Reference).Index;
        });
        Add("bytes a key, block" + suffix, (double)index.BytesUsed / work.Count);
        GC.KeepAlive(sum);

        void Time(string name, Action action) => Add(name, Measure(action, work.Count));
        void Add(string name, double value)
        {
            if (!results.TryGetValue(name, out var list)) results[name] = list = [];
            list.Add(value);
        }
    }

    private static void Plain(MemtableWorkload work, Dictionary<string, List<double>> results, string suffix)
    {
        using var list = new PlainSkiplist(work.Segment, work.Count);
        list.Populate();
        Time("insert, one key a node" + suffix, () =>
        {
            for (var i = 0; i < work.Count; i++) list.Insert(work.References[i].Value);
        });
        Time("present, one key a node" + suffix, () =>
        {
            foreach (var i in work.Order) list.Find(work.Key(i));
        });
        Time("absent, one key a node" + suffix, () =>
        {
            for (var i = 0; i < work.Count; i++) list.Find(work.AbsentKey(i));
        });
        Time("seek, one key a node" + suffix, () =>
        {
            foreach (var i in work.Order) list.Seek(work.Key(i));
        });
        var sum = 0UL;
        Time("scan forward a row, one key a node" + suffix, () =>
        {
            for (var node = list.First; node != 0; node = list.Next(node))
                sum += new OperationRef(list.OperationOf(node)).At(work.Segment).Index;
        });
        GC.KeepAlive(sum);

        void Time(string name, Action action)
        {
            if (!results.TryGetValue(name, out var values)) results[name] = values = [];
            values.Add(Measure(action, work.Count));
        }
    }

    private static double Measure(Action action, int count)
    {
        var start = ThreadClock.Nanoseconds;
        action();
        return (ThreadClock.Nanoseconds - start) / count;
    }
}
