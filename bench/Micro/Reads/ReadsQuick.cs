using System.Diagnostics;

namespace Varve.Bench.Micro.Reads;

/// <summary>
/// The read path's figures in seconds, through the public surface: one fill, then every kind of read on the runs and
/// the memtable that it left, then the same on the one run that a compaction makes of them.
/// </summary>
internal sealed class ReadsQuick(LsmStateMachine machine, ReadWorkload work, int rounds, string only)
{
    private const int Group = 100;
    private const int RangeMax = 100;

    // Every length from 1 to the most of them as often.
    private int RangeScans => Math.Min(work.Gets, 50_000) / RangeMax * RangeMax;

    private int RangeEntries => RangeScans / 2 * (RangeMax + 1);

    private readonly Dictionary<string, List<double>> _results = [];
    private readonly byte[] _destination = new byte[work.ValueBytes];
    private ulong _seen;

    public static void Run(int entries, int rounds, int valueBytes, string only)
    {
        var directory = Path.Combine(Path.GetTempPath(), "varve-reads-" + Path.GetRandomFileName());
        var work = new ReadWorkload(entries, valueBytes, Math.Clamp(entries / 2, 10_000, 1_000_000));
        try
        {
            using var machine = LsmStateMachine.Open(directory);
            work.Fill(machine);
            Settle(machine);
            Phase("unsettled");
            machine.CompactAsync().GetAwaiter().GetResult();
            Settle(machine);
            Phase("settled");

            void Phase(string name)
            {
                var statistics = machine.GetStatistics();
                Console.WriteLine(
                    $"{name}: {entries:N0} entries of {ReadWorkload.KeyBytes} + {valueBytes} bytes, "
                        + $"{statistics.Memtables} memtables, {statistics.Runs.Count} runs; ns, median of {rounds} "
                        + "(least, most)");
                new ReadsQuick(machine, work, rounds, only).Measure();
            }
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    private void Measure()
    {
        // Two rounds until the runtime has compiled what is measured, and has had its pause for doing so.
        for (var round = -2; round < rounds; round++)
        {
            Round();
            if (round >= 0) continue;
            Thread.Sleep(200);
            _results.Clear();
        }

        foreach (var (name, values) in _results)
        {
            values.Sort();
            Console.WriteLine($"  {name,-34} {values[values.Count / 2],8:F1}   ({values[0]:F1}, {values[^1]:F1})");
        }

        if (_seen == 0) throw new InvalidOperationException("nothing was read");
    }

    private void Round()
    {
        Time("get present", work.Gets, () => Gets(work.Present, work.ValueBytes));
        Time("get present, a view each", work.Gets, () => GetsInViews(work.Present));
        Time("get absent", work.Gets, () => Gets(work.Absent, -1));
        Time("get multi of 100, a key", work.Gets, GetMulti);
        Time("prefix scan, an entry", work.Entries, () => Prefixes(backward: false));
        Time("prefix scan backward, an entry", work.Entries, () => Prefixes(backward: true));
        Time("range scan of 1-100, an entry", RangeEntries, Ranges);
        Time("full scan, an entry", work.Entries, () => All(backward: false));
        Time("full scan backward, an entry", work.Entries, () => All(backward: true));
        Time("get present, 2 threads, a get", 2 * work.Gets, TwoThreads);
    }

    private void Gets(byte[] keys, int expected)
    {
        for (var i = 0; i < work.Gets; i++)
            if (machine.Read(keys.AsSpan(i * ReadWorkload.KeyBytes, ReadWorkload.KeyBytes), _destination) != expected)
                throw Wrong();
    }

    private void GetsInViews(byte[] keys)
    {
        for (var i = 0; i < work.Gets; i++)
        {
            using var view = machine.OpenView();
            if (!view.TryGet(keys.AsSpan(i * ReadWorkload.KeyBytes, ReadWorkload.KeyBytes), out var value))
                throw Wrong();
            _seen += value[0];
        }
    }

    private void GetMulti()
    {
        var keys = new ReadOnlyMemory<byte>[Group];
        for (var first = 0; first + Group <= work.Gets; first += Group)
        {
            for (var i = 0; i < Group; i++)
                keys[i] = work.Present.AsMemory((first + i) * ReadWorkload.KeyBytes, ReadWorkload.KeyBytes);
            foreach (var value in machine.GetMulti(keys))
                if (value?.Length != work.ValueBytes) throw Wrong();
        }
    }

    private void Prefixes(bool backward)
    {
        long entries = 0;
        for (var i = 0; i < work.Scans; i++)
        {
            using var view = machine.OpenView();
            var scan = view.ScanPrefix(work.Prefixes.AsSpan(i * ReadWorkload.PrefixBytes, ReadWorkload.PrefixBytes));
            entries += Visit(backward ? scan.Reversed() : scan);
        }

        if (entries != work.Entries) throw Wrong();
    }

    /// <summary>From a present key on, 1 to 100 entries, as YCSB's E.</summary>
    private void Ranges()
    {
        long entries = 0;
        for (var i = 0; i < RangeScans; i++)
        {
            using var view = machine.OpenView();
            var scan = view.ScanRange(work.Present.AsSpan(i * ReadWorkload.KeyBytes, ReadWorkload.KeyBytes), default);
            entries += Visit(scan, LengthOf(i));
        }

        if (entries > RangeEntries || entries < RangeEntries * 99L / 100) throw Wrong();
    }

    private static int LengthOf(int scan) => scan * 37 % RangeMax + 1;

    private void All(bool backward)
    {
        using var view = machine.OpenView();
        var scan = view.ScanRange(default, default);
        if (Visit(backward ? scan.Reversed() : scan) != work.Entries) throw Wrong();
    }

    /// <summary>Like the visitor of bench/Peers: reads enough to prove that key and value are there.</summary>
    private long Visit(ScanEnumerator scan, int limit = int.MaxValue)
    {
        long count = 0;
        ulong seen = 0;
        foreach (var entry in scan)
        {
            seen += entry.Key[^1] + ((ulong)entry.Value[0] << 8) + (uint)entry.Value.Length;
            if (++count == limit) break;
        }

        _seen += seen;
        return count;
    }

    private void TwoThreads()
    {
        var other = new Thread(() =>
        {
            var destination = new byte[work.ValueBytes];
            for (var i = work.Gets - 1; i >= 0; i--)
                if (machine.Read(
                    work.Present.AsSpan(i * ReadWorkload.KeyBytes, ReadWorkload.KeyBytes), destination) < 0)
                    throw Wrong();
        });
        other.Start();
        Gets(work.Present, work.ValueBytes);
        other.Join();
    }

    private void Time(string name, int operations, Action action)
    {
        if (!name.Contains(only, StringComparison.Ordinal)) return;
        var start = Stopwatch.GetTimestamp();
        action();
        if (!_results.TryGetValue(name, out var list)) _results[name] = list = [];
        list.Add(Stopwatch.GetElapsedTime(start).TotalNanoseconds / operations);
    }

    /// <summary>Waits until the background has nothing to flush or merge any more.</summary>
    private static void Settle(LsmStateMachine machine)
    {
        for (var quiet = 0; quiet < 5;)
        {
            var before = machine.GetStatistics();
            Thread.Sleep(50);
            var after = machine.GetStatistics();
            quiet = before.FlushBytes == after.FlushBytes && before.CompactionBytes == after.CompactionBytes
                && after.Memtables == 1 ? quiet + 1 : 0;
        }
    }

    private static InvalidOperationException Wrong() => new("a wrong answer");
}
