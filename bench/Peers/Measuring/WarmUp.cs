using System.Diagnostics;
using System.Runtime;
using Varve.Bench.Peers.Engines;

namespace Varve.Bench.Peers;

/// <summary>
/// Runs every path on throwaway databases until the runtime has compiled it fully, so that no engine is timed in its
/// first, unoptimised code. Their memtables are small, so that flushes and merges are among the paths, and all engines
/// alike go through them. Rounds are repeated until the runtime has nothing more to compile in one, or the time is up.
/// </summary>
internal static class WarmUp
{
    private const long Bytes = 3 << 20;
    private const int RoundsMin = 3;
    private const int QuietMethods = 10;
    private const int TierDelayMs = 130;   // tiered compilation waits 100 ms after the last new method
    private static readonly TimeSpan TimeLimit = TimeSpan.FromSeconds(8);

    /// <summary>
    /// Applies, settles, and does <paramref name="exercise"/>, if any, before and after the settling.
    /// </summary>
    public static void Run(
        RunContext context, EntrySource like, int chunkEntries, Action<IBenchEngine, EntrySource>? exercise = null)
    {
        var entries = Bytes / (like.KeyBytesMax + like.ValueBytes);
        var source = like.Resized(Math.Clamp(entries, 200, chunkEntries == 1 ? 10_000 : 40_000));
        var start = Stopwatch.GetTimestamp();
        for (var round = 1; Stopwatch.GetElapsedTime(start) < TimeLimit; round++)
        {
            var compiled = JitInfo.GetCompiledMethodCount();
            using (var engine = context.Open(EngineSettings.WarmUp, out _))
            {
                Filling.Fill(engine, source, chunkEntries);
                exercise?.Invoke(engine, source);
                engine.Settle();
                exercise?.Invoke(engine, source);
                engine.Describe(new Dictionary<string, double>());
            }

            Thread.Sleep(TierDelayMs);
            if (round >= RoundsMin && JitInfo.GetCompiledMethodCount() - compiled <= QuietMethods) break;
        }

        Meter.Collect();
    }

    /// <summary>Every kind of read.</summary>
    public static void Reads(IBenchEngine engine, EntrySource source)
    {
        var present = ReadKeys.Present(source, (int)Math.Min(source.Entries, 5_000), 1);
        var absent = ReadKeys.Absent(source, present.Count, 1);
        using var reads = new Reads(engine.OpenReader(), source);
        reads.Present(present);
        reads.Absent(absent);
        reads.InPlace(present);
        reads.Multi(present);
        if (!engine.IsOrdered) return;
        if (source.Keys is RandomKeys) reads.Prefixes(100);
        reads.All();
    }
}
