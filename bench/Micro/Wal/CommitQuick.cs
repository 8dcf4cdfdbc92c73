using System.Diagnostics;

namespace Varve.Bench.Micro.Wal;

/// <summary>
/// Group commit: chunks of one with <see cref="Durability.Power"/>, so many under way at once; a line a depth. Each is
/// acknowledged on its own, in the log's order.
/// </summary>
internal static class CommitQuick
{
    private static readonly int[] Depths = [1, 4, 16, 64, 256];

    public static void Run(double seconds)
    {
        var directory = Directory.CreateTempSubdirectory("varve-commit-").FullName;
        try
        {
            using var machine = LsmStateMachine.Open(directory, new EngineOptions { Durability = Durability.Power });
            Measure(machine, depth: 16, seconds / 4);
            foreach (var depth in Depths)
            {
                var times = Measure(machine, depth, seconds);
                times.Sort();
                Console.WriteLine(
                    $"{depth,4} under way: {times.Count / seconds,9:N0} chunks/s, p50 {times[times.Count / 2],7:N0} "
                        + $"us, p99 {times[(int)(times.Count * 0.99)],7:N0} us");
            }
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    /// <summary>Microseconds from call to acknowledgement, of each chunk.</summary>
    private static List<double> Measure(LsmStateMachine machine, int depth, double seconds)
    {
        var times = new List<double>();
        var underWay = new Queue<(long Start, ValueTask<ApplyResult[]> Acknowledged)>();
        var key = new byte[16];
        var value = new byte[100];
        var begin = Stopwatch.GetTimestamp();
        var index = machine.LastApplied.Index;
        while (Stopwatch.GetElapsedTime(begin).TotalSeconds < seconds)
        {
            while (underWay.Count < depth)
            {
                Random.Shared.NextBytes(key);
                underWay.Enqueue((Stopwatch.GetTimestamp(), machine.ApplyChunkAsync(
                    new ApplyEntry[] { new(++index, Term: 1, Command.Insert(key.AsMemory(), value)) })));
            }

            Finish();
        }

        while (underWay.Count > 0) Finish();
        return times;

        void Finish()
        {
            var (start, acknowledged) = underWay.Dequeue();
            acknowledged.AsTask().GetAwaiter().GetResult();
            times.Add(Stopwatch.GetElapsedTime(start).TotalMicroseconds);
        }
    }
}
