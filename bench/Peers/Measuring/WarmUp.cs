using Varve.Bench.Peers.Engines;

namespace Varve.Bench.Peers;

/// <summary>
/// Runs every path on a throwaway database until the runtime has compiled it fully, so that no engine is timed in its first, unoptimised code. Its
/// memtables are small, so that flushes and merges are among the paths, and all engines alike go through them.
/// </summary>
internal static class WarmUp
{
    private const long Bytes = 8 << 20;
    private const int Pauses = 3;
    private const int TierDelayMs = 150;   // tiered compilation waits 100 ms after the last new method

    /// <summary>Applies, settles, and does <paramref name="exercise"/>, if any, before and after the settling.</summary>
    public static void Run(RunContext context, EntrySource like, int chunkEntries, Action<IBenchEngine, EntrySource>? exercise = null)
    {
        var source = like.Resized(Math.Clamp(Bytes / (like.KeyBytesMax + like.ValueBytes), 200, 60_000));
        using (var engine = context.Open(EngineSettings.WarmUp, out _))
        {
            using (var chunks = engine.Prepare(source, 0, (int)source.Entries, chunkEntries))
            {
                for (var i = 0; i < chunks.Count; i++)
                {
                    if (i % (chunks.Count / Pauses + 1) == chunks.Count / Pauses) Thread.Sleep(TierDelayMs);
                    chunks.Apply(i);
                }
            }

            exercise?.Invoke(engine, source);
            engine.Settle();
            Thread.Sleep(TierDelayMs);
            exercise?.Invoke(engine, source);
            Thread.Sleep(TierDelayMs);
        }

        Meter.Collect();
    }

    /// <summary>Every kind of read.</summary>
    public static void Reads(IBenchEngine engine, EntrySource source)
    {
        var present = ReadKeys.Present(source, (int)Math.Min(source.Entries, 30_000), 1);
        var absent = ReadKeys.Absent(source, present.Count, 1);
        using var reads = new Reads(engine.OpenReader(), source);
        reads.Present(present);
        reads.Absent(absent);
        reads.InPlace(present);
        reads.Multi(present);
        if (source.Keys is RandomKeys) reads.Prefixes(500);
        reads.All();
    }
}
