using Varve.Bench.Peers.Engines;

namespace Varve.Bench.Peers;

/// <summary>Runs every path on a throwaway database until the runtime has compiled it fully, so that no engine is timed in its first, unoptimised code.</summary>
internal static class WarmUp
{
    private const int Entries = 30_000;
    private const int TierDelayMs = 150;   // tiered compilation waits 100 ms after the last new method

    public static void Run(RunContext context, EntrySource like, int chunkEntries, bool reads)
    {
        var source = new EntrySource(Entries, like.KeyBytes, like.ValueBytes, like.Ascending);
        using (var engine = context.Open(durable: false, out var path))
        {
            using (var chunks = engine.Prepare(source, 0, Entries, chunkEntries))
            {
                for (var i = 0; i < chunks.Count; i++)
                {
                    if (i == chunks.Count / 3 || i == 2 * chunks.Count / 3) Thread.Sleep(TierDelayMs);
                    chunks.Apply(i);
                }
            }

            if (reads) Read(engine, source);
        }

        Meter.Collect();
    }

    private static void Read(IBenchEngine engine, EntrySource source)
    {
        for (var round = 0; round < 2; round++)
        {
            using var keys = ReadKeys.Present(source, Entries, round);
            using var absent = ReadKeys.Absent(source, Entries, round);
            using var reader = engine.OpenReader();
            Reads.Gets(reader, keys, source.ValueBytes);
            Reads.Gets(reader, absent, -1);
            Reads.Prefixes(reader, source, 500);
            Reads.All(reader);
            if (round == 0) engine.Settle();
            Thread.Sleep(TierDelayMs);
        }
    }
}
