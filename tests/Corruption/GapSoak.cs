using Varve.Tests.Corruption.Golden;
using Varve.Tests.Shared;

namespace Varve.Tests.Corruption;

/// <summary>
/// Measures the gap: bytes of the log that no later record proves durable, so that damage to them looks like a torn
/// tail, and the manifest's last edit. Flips every bit, or one of every N, of a golden database of one durability,
/// killed or closed.
/// </summary>
internal static class GapSoak
{
    public readonly record struct GapFigures(
        long Records, long LogBits, ulong EntriesAtStake, long ManifestBits, long AllBits);

    public static GapFigures Run(Soak soak, GoldenDatabase golden, string name)
    {
        var regions = Regions.OfDatabase(golden);
        var gap =
            regions.Where(region => region.Expected == Verdict.Gap && region.Name != Regions.ManifestEdit).ToList();
        var manifest = regions.Where(region => region.Name == Regions.ManifestEdit).ToList();
        var measured = new GapFigures(
            gap.Count, gap.Sum(region => region.Bits), golden.Log.Last.Index
                - gap.Select(region => region.IndexBefore).DefaultIfEmpty(golden.Log.Last.Index).Min(),
            manifest.Sum(region => region.Bits), regions.Sum(region => region.Bits));
        soak.Write(
            $"{name}: {measured.LogBits:n0} bits of the log in {measured.Records} records, {measured.EntriesAtStake} "
                + "indexes at stake; "
            + $"{measured.ManifestBits:n0} bits of the manifest; of {measured.AllBits:n0} bits");
        new BitFlips(soak, golden, [.. gap, .. manifest]).Run().Print(soak.Write);
        return measured;
    }
}
