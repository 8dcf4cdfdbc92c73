using System.Diagnostics;
using System.Diagnostics.Metrics;
using Varve.Bench.Micro.Reads;

namespace Varve.Bench.Micro.Diagnostics;

/// <summary>
/// The cost of listeners for the hot calls: the same calls in turns, without a listener and with one for metrics, which
/// collects fifty times a second, and one for spans. Processor time of the calling thread, so that other work of the
/// machine counts little.
/// </summary>
internal sealed class ListenersQuick(string directory, int rounds)
{
    private const int Entries = 200_000;
    private const int ValueBytes = 100;
    private const int Singles = 100_000;
    private const int Hundreds = 3_000;
    private const int Scans = 20_000;
    private const int ScanLength = 100;

    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(20);

    private readonly ReadWorkload _work = new(Entries, ValueBytes, Entries);
    private readonly Dictionary<string, List<double>[]> _results = [];
    private readonly byte[] _value = new byte[ValueBytes];
    private long _measured;
    private ulong _seen;

    public static void Run(int rounds)
    {
        var directory = Path.Combine(Path.GetTempPath(), "varve-listeners-" + Path.GetRandomFileName());
        try
        {
            new ListenersQuick(directory, rounds).Measure();
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    private void Measure()
    {
        using var machine = LsmStateMachine.Open(
            Path.Combine(directory, "reads"), new EngineOptions { IdleAfter = Timeout.InfiniteTimeSpan });
        _work.Fill(machine);
        machine.CompactAsync().GetAwaiter().GetResult();
        for (var round = -2; round < rounds; round++)
        {
            Round(machine, round);
            if (round < 0) _results.Clear();
        }

        Console.WriteLine(
            $"ns of processor time over {rounds} rounds; {_measured:N0} measurements were collected");
        Console.WriteLine(
            $"  {"",-14} {"without",9} {"with",9}   {"least of each",19}   difference in a round (quartiles)");
        foreach (var (name, lists) in _results)
        {
            var ratios = lists[0].Zip(lists[1], (without, with) => (with / without) - 1).ToList();
            Console.WriteLine(
                $"  {name,-14} {At(lists[0], 0.5),9:F1} {At(lists[1], 0.5),9:F1}   {lists[0].Min(),9:F1} "
                    + $"{lists[1].Min(),9:F1}   {At(ratios, 0.5),7:P1} ({At(ratios, 0.25):P1}, {At(ratios, 0.75):P1})");
        }

        if (_seen == 0) throw new InvalidOperationException("nothing was read");
    }

    private void Round(LsmStateMachine machine, int round)
    {
        var fresh = Path.Combine(directory, "applies");
        using (var applied = LsmStateMachine.Open(fresh, new EngineOptions { MemtableBytes = 1 << 30 }))
        {
            var index = 0UL;
            InTurns("apply 1", round, Singles, () => index = Apply(applied, index, 1, Singles));
            InTurns("apply 100", round, Hundreds * 100, () => index = Apply(applied, index, 100, Hundreds));
        }

        Directory.Delete(fresh, recursive: true);
        InTurns("get", round, Entries, () =>
        {
            for (var i = 0; i < Entries; i++)
                _seen += (ulong)machine.Read(
                    _work.Present.AsSpan(i * ReadWorkload.KeyBytes, ReadWorkload.KeyBytes), _value);
        });
        InTurns("scan, an entry", round, Scans * ScanLength, () =>
        {
            for (var i = 0; i < Scans; i++) Scan(machine, i);
        });
    }

    /// <summary>Without and with listeners, one right after the other; each is first in every second round.</summary>
    private void InTurns(string name, int round, int operations, Action action)
    {
        if (!_results.TryGetValue(name, out var lists)) _results[name] = lists = [[], []];
        foreach (var isListened in round % 2 == 0 ? new[] { false, true } : [true, false])
        {
            using var listening = isListened ? new Listening(() => Interlocked.Increment(ref _measured)) : null;
            var start = ThreadClock.Nanoseconds;
            action();
            lists[isListened ? 1 : 0].Add((ThreadClock.Nanoseconds - start) / operations);
        }
    }

    private void Scan(LsmStateMachine machine, int number)
    {
        using var view = machine.OpenView();
        var left = ScanLength;
        var from = _work.Present.AsSpan(number * ReadWorkload.KeyBytes, ReadWorkload.KeyBytes);
        foreach (var entry in view.ScanRange(from, default))
        {
            _seen += entry.Key[^1];
            if (--left == 0) return;
        }
    }

    private ulong Apply(LsmStateMachine machine, ulong index, int perChunk, int chunks)
    {
        var chunk = new ApplyEntry[perChunk];
        var results = new ApplyResult[perChunk];
        for (var c = 0; c < chunks; c++)
        {
            for (var i = 0; i < perChunk; i++)
            {
                var key = _work.Present.AsMemory(
                    (int)(index % Entries) * ReadWorkload.KeyBytes, ReadWorkload.KeyBytes);
                chunk[i] = new ApplyEntry(++index, 1, Command.Insert(key, _value));
            }

            machine.ApplyChunk(chunk, results);
        }

        return index;
    }

    private static double At(List<double> values, double share) =>
        values.Order().ElementAt((int)(share * (values.Count - 1)));

    /// <summary>Listens to everything, and collects at an interval on a thread of its own.</summary>
    private sealed class Listening : IDisposable
    {
        private readonly MeterListener _meters = new();
        private readonly ActivityListener _spans;
        private readonly ManualResetEventSlim _ends = new();
        private readonly Thread _collecting;

        public Listening(Action measured)
        {
            _meters.InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Meter.Name == "Varve") listener.EnableMeasurementEvents(instrument);
            };
            _meters.SetMeasurementEventCallback<long>((_, _, _, _) => measured());
            _meters.SetMeasurementEventCallback<double>((_, _, _, _) => measured());
            _meters.Start();
            _spans = new ActivityListener
            {
                ShouldListenTo = source => source.Name == "Varve",
                Sample = (ref ActivityCreationOptions<ActivityContext> _) =>
                    ActivitySamplingResult.AllDataAndRecorded,
            };
            ActivitySource.AddActivityListener(_spans);
            _collecting = new Thread(() =>
            {
                while (!_ends.Wait(Interval)) _meters.RecordObservableInstruments();
            });
            _collecting.Start();
        }

        public void Dispose()
        {
            _ends.Set();
            _collecting.Join();
            _spans.Dispose();
            _meters.Dispose();
            _ends.Dispose();
        }
    }
}
