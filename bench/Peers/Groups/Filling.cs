using System.Diagnostics;
using Varve.Bench.Peers.Engines;

namespace Varve.Bench.Peers;

/// <summary>Applies of a whole data set into an empty database.</summary>
internal static class Filling
{
    private const long PieceBytes = 256 << 20;

    /// <summary>
    /// Applies everything and measures it; what the background still owes is for <see cref="Settle"/> to add.
    /// </summary>
    public static Measurement Fill(IBenchEngine engine, EntrySource source, int chunkEntries)
    {
        using var chunks = engine.Prepare(source, 0, checked((int)source.Entries), chunkEntries);
        if (chunkEntries == 1) return Meter.Run("", () => ApplyAll(chunks, source.Entries));

        // Two clock readings a chunk of 100 do not show in the figure.
        var latencies = Meter.NewHistogram();
        var timeline = new Timeline();
        var measurement = Meter.Run("", () =>
        {
            timeline.Begin();
            for (var i = 0; i < chunks.Count; i++)
            {
                var start = Stopwatch.GetTimestamp();
                chunks.Apply(i);
                var end = Stopwatch.GetTimestamp();
                latencies.Record(start, end);
                timeline.Add(start, end, chunkEntries);
            }

            return source.Entries;
        });
        measurement.AddPercentiles("chunk", latencies);
        timeline.AddTo(measurement);
        return measurement;
    }

    /// <summary>
    /// Applies everything in pieces, so that the inputs of a large data set need not be in memory at once; not for
    /// timing.
    /// </summary>
    public static void Load(IBenchEngine engine, EntrySource source, int chunkEntries = 100)
    {
        var piece = Math.Max(
            PieceBytes / (source.KeyBytesMax + source.ValueBytes) / chunkEntries * chunkEntries, chunkEntries);
        for (long first = 0; first < source.Entries; first += piece)
        {
            using var chunks = engine.Prepare(
                source, first, (int)Math.Min(piece, source.Entries - first), chunkEntries);
            for (var i = 0; i < chunks.Count; i++) chunks.Apply(i);
        }
    }

    /// <summary>
    /// Settles, and adds to the fill's measurement what the fill has cost in the end. Gives the bytes on disk for each
    /// byte of user data.
    /// </summary>
    public static double Settle(
        IBenchEngine engine, Measurement fill, EntrySource source, string path, long writtenBefore)
    {
        fill.Extra["anonymous_bytes"] = ProcessFigures.AnonymousBytes;
        fill.Extra["write_amplification_unsettled"] = (ProcessFigures.WrittenBytes - writtenBefore) / source.UserBytes;
        var start = Stopwatch.GetTimestamp();
        engine.Settle();
        fill.Extra["settle_seconds"] = Stopwatch.GetElapsedTime(start).TotalSeconds;
        fill.Extra["write_amplification"] = (ProcessFigures.WrittenBytes - writtenBefore) / source.UserBytes;
        var disk = ProcessFigures.DiskBytes(path);
        fill.Extra["disk_bytes"] = disk;
        engine.Describe(fill.Extra);
        return disk / source.UserBytes;
    }

    private static long ApplyAll(PreparedChunks chunks, long entries)
    {
        for (var i = 0; i < chunks.Count; i++) chunks.Apply(i);
        return entries;
    }
}
