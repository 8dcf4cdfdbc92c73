using Varve.Bench.Peers.Engines;

namespace Varve.Bench.Peers;

/// <summary>The groups that measure an apply alone.</summary>
internal static class ApplyGroups
{
    private static readonly EngineSettings WithoutHistory = new() { KeepsHistory = false };

    public static void Ascending(RunContext context) =>
        Single(context, "apply-ascending", EntrySource.AscendingKeys(context.Entries), 100);

    public static void ChunkOfOne(RunContext context) =>
        Single(context, "apply-1", EntrySource.Random(context.Entries), 1);

    /// <summary>
    /// Long enough that flushes and merges must keep up: what is sustained, not what a memtable takes.
    /// </summary>
    public static void Sustained(RunContext context) =>
        Single(context, "sustained", EntrySource.Random(context.Entries), 100, WithoutHistory);

    /// <summary>
    /// Every entry once, then every entry again in another order: what a settled database keeps of what was
    /// overwritten.
    /// </summary>
    public static void Overwrite(RunContext context)
    {
        var source = EntrySource.Random(context.Entries);
        WarmUp.Run(context, source, 100);
        context.WarmPages(source);
        var written = ProcessFigures.WrittenBytes;
        using var engine = context.Open(WithoutHistory, out var path);
        Filling.Load(engine, source);
        var again = new Overwrites(source);
        using var chunks = engine.Prepare(again, source.Entries, checked((int)source.Entries), 100);
        var measurement = Meter.Run("", () =>
        {
            for (var i = 0; i < chunks.Count; i++) chunks.Apply(i);
            return source.Entries;
        });
        var space = Filling.Settle(engine, measurement, source, path, written);
        measurement.Extra["write_amplification"] /= 2;   // of twice the data
        context.AddWrites("overwrite", measurement);
        context.AddFigure("overwrite-space", "of_live", space);
    }

    private static void Single(
        RunContext context, string row, EntrySource source, int chunkEntries, EngineSettings? settings = null)
    {
        WarmUp.Run(context, source, chunkEntries);
        context.WarmPages(source);
        var written = ProcessFigures.WrittenBytes;
        using var engine = context.Open(settings ?? EngineSettings.Usual, out var path);
        var measurement = Filling.Fill(engine, source, chunkEntries);
        var space = Filling.Settle(engine, measurement, source, path, written);
        context.AddWrites(row, measurement);
        context.AddFigure(row + "-space", "of_live", space);
        context.AddFigure(row + "-written", "of_user", measurement.Extra["write_amplification"]);
        using var reads = new Reads(engine.OpenReader(), source);
        reads.Verify(1_000);
    }

    private sealed class Overwrites(EntrySource source) : IEntries
    {
        private readonly long _step = Coprime(source.Entries);

        public int KeyBytesMax => source.KeyBytesMax;

        public int ValueBytes => source.ValueBytes;

        public int WriteKey(long position, Span<byte> key) =>
            source.WriteKey((long)((Int128)position * _step % source.Entries), key);

        public void WriteValue(long position, Span<byte> value) => EntrySource.FillValue((ulong)position, value);

        /// <summary>A step that visits every number below <paramref name="count"/> once.</summary>
        private static long Coprime(long count)
        {
            var step = (long)(count * 0.6180339887) | 1;
            while (System.Numerics.BigInteger.GreatestCommonDivisor(step, count) != 1) step += 2;
            return step;
        }
    }
}
