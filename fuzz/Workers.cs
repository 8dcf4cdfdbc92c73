using Varve.Fuzz.Mutation;
using Varve.Fuzz.Targets;

namespace Varve.Fuzz;

/// <summary>
/// Several runs of one target at a time, each on a thread of its own with a seed of its own (the first has the seed
/// that was asked for), which share the number of executions. They tell each other nothing, so each replays alone.
/// </summary>
internal static class Workers
{
    private const ulong SeedStep = 0x9E37_79B9_7F4A_7C15;

    public static MutationRun[] Run(
        FuzzTarget target, long executions, TimeSpan time, ulong seed, int workers, Action<Finding> onHang)
    {
        byte[][] corpus = [.. Places.CorpusOf(target).Select(file => file.Bytes)];
        var runs = new MutationRun[workers];
        var threads = new Thread[workers];
        for (var i = 0; i < workers; i++)
        {
            var worker = i;
            threads[i] = new Thread(() => runs[worker] = RunOne(
                target, corpus, Share(executions, workers, worker), time, seed + ((ulong)worker * SeedStep), worker,
                onHang), 16 << 20);
            threads[i].Start();
        }

        foreach (var thread in threads) thread.Join();
        return runs;
    }

    private static long Share(long executions, int workers, int worker) =>
        executions == long.MaxValue ? executions : (executions / workers) + (worker < executions % workers ? 1 : 0);

    private static MutationRun RunOne(
        FuzzTarget target, byte[][] corpus, long executions, TimeSpan time, ulong seed, int worker,
        Action<Finding> onHang)
    {
        var limits = new Limits();
        using var inFlight = new InFlight(worker == 0 ? target.Name : $"{target.Name}-{worker}");
        using var watchdog = new Watchdog(
            limits.Hang,
            input => onHang(new Finding(target.Name, FindingKind.Hang, input, seed, -1, $"longer than {limits.Hang}")));
        var run = new MutationRun(target, corpus, seed, limits, watchdog) { BeforeExecution = inFlight.Note };
        run.Run(executions, time);
        return run;
    }
}
