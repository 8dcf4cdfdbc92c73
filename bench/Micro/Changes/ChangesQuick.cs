using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace Varve.Bench.Micro.Changes;

/// <summary>
/// Measures what readers of changes cost an applier at full speed: entries a second, and the processor time of the
/// applier's thread an entry, without readers and beside 1,000 that each wait for a prefix of their own. The two take
/// turns, on one engine and with the same keys; the ratios are medians over the rounds.
/// </summary>
internal static class ChangesQuick
{
    private const int Readers = 1_000;
    private const int ValueBytes = 100;
    private const int KeyCount = 20_000;

    /// <summary>One key in so many is in a group that is read; 0: none.</summary>
    private static readonly int[] OneIn = [0, 100, 1];

    public static void Run(int rounds, double seconds)
    {
        foreach (var chunkEntries in (int[])[1, 100])
        {
            var directory = Directory.CreateTempSubdirectory("varve-changes-").FullName;
            try
            {
                using var engine = LsmStateMachine.Open(directory);
                foreach (var oneIn in OneIn)
                    RunAsync(engine, rounds, seconds, chunkEntries, oneIn).GetAwaiter().GetResult();
            }
            finally
            {
                Directory.Delete(directory, recursive: true);
            }
        }
    }

    private static async Task RunAsync(
        LsmStateMachine engine, int rounds, double seconds, int chunkEntries, int oneIn)
    {
        var (alone, beside) = (new List<Figures>(), new List<Figures>());
        for (var round = -1; round < rounds; round++) // the first warms up
        {
            var readersFirst = (round & 1) == 0;
            var first = await MeasureAsync(engine, readersFirst ? Readers : 0, oneIn, seconds, chunkEntries);
            var second = await MeasureAsync(engine, readersFirst ? 0 : Readers, oneIn, seconds, chunkEntries);
            if (round < 0) continue;
            beside.Add(readersFirst ? first : second);
            alone.Add(readersFirst ? second : first);
        }

        var rate = Median(beside.Zip(alone, (with, without) => with.Rate / without.Rate));
        var time = Median(beside.Zip(alone, (with, without) => with.Nanoseconds / without.Nanoseconds));
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"chunks of {chunkEntries,3}, {(oneIn == 0 ? "no entry" : $"1 entry in {oneIn}"),-14} is read: "
                + $"{Median(alone.Select(f => f.Rate)) / 1000,6:N0} k/s alone, "
                + $"{Median(beside.Select(f => f.Rate)) / 1000,6:N0} k/s beside {Readers} readers "
                + $"({rate:P0} by rounds); "
                + $"applier {Median(alone.Select(f => f.Nanoseconds)):N0} ns, "
                + $"{Median(beside.Select(f => f.Nanoseconds)):N0} ns an entry ({time:P0}); "
                + $"{beside.Sum(f => f.Changes):N0} changes given"));
    }

    private static async Task<Figures> MeasureAsync(
        LsmStateMachine engine, int readers, int oneIn, double seconds, int chunkEntries)
    {
        using var end = new CancellationTokenSource();
        var given = new long[1];
        var from = engine.LastApplied.Index + 1;
        Task[] tasks =
            [.. Enumerable.Range(0, readers).Select(i => ReadAsync(engine, from, Prefix(i), given, end.Token))];
        var figures = Apply(engine, oneIn, seconds, chunkEntries);
        await end.CancelAsync();
        foreach (var task in tasks) await task;
        return figures with { Changes = given[0] };
    }

    private static Figures Apply(LsmStateMachine engine, int oneIn, double seconds, int chunkEntries)
    {
        var value = new byte[ValueBytes];
        Command[] commands = [.. Enumerable.Range(0, KeyCount).Select(i => Command.Insert(KeyOf(oneIn, i), value))];
        var (chunk, results) = (new ApplyEntry[chunkEntries], new ApplyResult[chunkEntries]);
        var (index, first, next) = (engine.LastApplied.Index, engine.LastApplied.Index, 0);
        var clock = Stopwatch.StartNew();
        var processor = ThreadClock.Nanoseconds;
        while (clock.Elapsed.TotalSeconds < seconds)
        {
            for (var repeat = 0; repeat < Math.Max(1, 100 / chunkEntries); repeat++)
            {
                for (var i = 0; i < chunkEntries; i++)
                {
                    chunk[i] = new ApplyEntry(++index, 1, commands[next]);
                    next = next + 1 == commands.Length ? 0 : next + 1;
                }

                engine.ApplyChunk(chunk, results);
            }
        }

        var entries = index - first;
        return new Figures(
            entries / clock.Elapsed.TotalSeconds, (ThreadClock.Nanoseconds - processor) / (double)entries, Changes: 0);
    }

    private static byte[] KeyOf(int oneIn, int number)
    {
        var isRead = oneIn != 0 && number % oneIn == 0;
        var group = isRead ? number / oneIn * 7 % Readers : Readers + number;
        return Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"group-{group:D6}/{number:D6}"));
    }

    private static byte[] Prefix(int group) =>
        Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"group-{group:D6}/"));

    private static async Task ReadAsync(
        LsmStateMachine engine, ulong from, byte[] prefix, long[] given, CancellationToken end)
    {
        try
        {
            await foreach (var change in engine.ReadChangesAsync(from, prefix, end))
                if (change.Key.Length > 0) Interlocked.Increment(ref given[0]);
        }
        catch (OperationCanceledException)
        {
            // The window is over.
        }
        catch (ChangesLostException)
        {
            // It was too slow for the history, which is the reader's loss alone.
        }
    }

    private static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        return sorted.Length % 2 == 1
            ? sorted[sorted.Length / 2] : (sorted[sorted.Length / 2 - 1] + sorted[sorted.Length / 2]) / 2;
    }

    /// <summary>One measurement.</summary>
    private readonly record struct Figures(double Rate, double Nanoseconds, long Changes);
}
