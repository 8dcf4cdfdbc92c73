using Varve.Format;
using Varve.Storage;
using Varve.Tests.Shared.Disk;

namespace Varve.Tests.Corruption.Golden;

/// <summary>A range of a golden file, and the required verdict on damage in it.</summary>
/// <param name="Path">The file.</param>
/// <param name="Begin">Its first byte.</param>
/// <param name="End">The byte after its last.</param>
/// <param name="File">The kind of file, for the table of figures.</param>
/// <param name="Name">What it is.</param>
/// <param name="Expected">What a flipped bit in it must give.</param>
/// <param name="IndexBefore">For <see cref="Verdict.Gap"/>: the position that the state goes back to.</param>
internal sealed record Region(
    string Path, long Begin, long End, string File, string Name, Verdict Expected, ulong IndexBefore = 0)
{
    public long Bits => (End - Begin) * 8;
}

/// <summary>Divides every byte of the golden files into regions, from what the formats say of them.</summary>
internal static class Regions
{
    public const string ManifestEdit = "last edit";
    private const int SegmentHeaderFields = 64;

    public static List<Region> OfDatabase(GoldenDatabase golden)
    {
        var disk = golden.Disk;
        var map = SegmentMap.Of(disk, GoldenDatabase.Directory);
        var regions = new List<Region>();
        foreach (var path in disk.Files(GoldenDatabase.Directory))
        {
            var length = disk.Span(path).Length;
            var name = Path.GetFileName(path);
            if (name is FileNames.Identity or FileNames.Current)
                regions.Add(new Region(path, 0, length, name, "all", Verdict.Open));
            else if (name.EndsWith(FileNames.TableSuffix, StringComparison.Ordinal))
                AddTable(regions, path, disk.Span(path));
            else if (map.Stale.Contains(path))
                regions.Add(new Region(path, 0, length, "segment", "below the first one needed", Verdict.Harmless));
            else if (name.EndsWith(FileNames.SegmentSuffix, StringComparison.Ordinal))
                AddSegment(regions, map, path, length);
        }

        AddManifest(regions, disk);
        return regions;
    }

    public static List<Region> OfSnapshot(GoldenDatabase golden)
    {
        var disk = golden.Disk;
        var regions = new List<Region>();
        foreach (var path in disk.Files(GoldenDatabase.SnapshotDirectory))
        {
            var part = Path.GetFileName(path) == SnapshotNames.Manifest ? "manifest" : "table";
            regions.Add(new Region(path, 0, disk.Span(path).Length, "snapshot", part, Verdict.Open));
        }

        var pack = disk.Span(GoldenDatabase.PackedSnapshot);
        PackFormat.TryDecodeHeader(pack[..PackFormat.HeaderSize], out var header, out _);
        var manifestEnd = PackFormat.HeaderSize + header.ManifestLength;
        AddPack(0, PackFormat.HeaderSize, "header");
        AddPack(PackFormat.HeaderSize, manifestEnd, "manifest");
        AddPack(manifestEnd, pack.Length - PackFormat.TrailerSize, "tables");
        AddPack(pack.Length - PackFormat.TrailerSize, pack.Length, "trailer");
        return regions;

        void AddPack(long begin, long end, string name) =>
            regions.Add(new Region(GoldenDatabase.PackedSnapshot, begin, end, "packed snapshot", name, Verdict.Open));
    }

    private static void AddTable(List<Region> regions, string path, ReadOnlySpan<byte> bytes)
    {
        if (!TableFooter.TryDecode(bytes[^TableFooter.Bytes..], bytes.Length, out var footer, out _))
            throw new InvalidDataException(path);
        regions.Add(new Region(path, 0, footer!.DataLength, "table", "data blocks", Verdict.Read));
        var at = footer.DataLength;
        foreach (var (name, region) in new[] { ("leases", footer.Leases), (
            "filter", footer.Filter), ("index", footer.Index), ("properties", footer.Properties) })
        {
            Add(at, region.Offset, "padding", Verdict.Verify);
            Add(region.Offset, region.End, name, Verdict.Open);
            at = region.End;
        }

        Add(at, footer.Offset, "padding", Verdict.Verify);
        Add(footer.Offset, bytes.Length, "footer", Verdict.Open);

        void Add(long begin, long end, string name, Verdict expected)
        {
            if (end > begin) regions.Add(new Region(path, begin, end, "table", name, expected));
        }
    }

    private static void AddSegment(List<Region> regions, SegmentMap map, string path, long length)
    {
        regions.Add(new Region(path, 0, SegmentHeaderFields, "segment", "header", Verdict.Open));
        regions.Add(new Region(
            path, SegmentHeaderFields, WalSegmentHeader.Size, "segment", "zeros after the header", Verdict.Harmless));
        long end = WalSegmentHeader.Size;
        foreach (var record in map.Records.Where(record => record.Path == path))
        {
            end = record.Header.Offset + record.Header.Length;
            var isInGap = map.IsInGap(record);
            regions.Add(new Region(
                path, record.Header.Offset, end, "segment", $"{record.Header.Type} record"
                    + (isInGap ? ", not vouched for" : "").ToLowerInvariant(),
                isInGap ? Verdict.Gap : Verdict.Open, record.IndexBefore));
        }

        regions.Add(new Region(
            path, end, length, "segment", map.Ready.Contains(path) ? "recycled, not used yet" : "after the last record",
            Verdict.Harmless));
    }

    private static void AddManifest(List<Region> regions, SimFs disk)
    {
        var records = ManifestRecords.Of(disk, GoldenDatabase.Directory, out var path);
        regions.Add(new Region(path, 0, ManifestLog.HeaderSize, "manifest", "header", Verdict.Open));
        for (var i = 0; i < records.Count; i++)
        {
            var isLast = i > 0 && i == records.Count - 1;
            regions.Add(new Region(
                path, records[i].Offset, records[i].End, "manifest", isLast ? ManifestEdit : "edit",
                isLast ? Verdict.Gap : Verdict.Open));
        }

        regions.Add(new Region(
            path, records[^1].End, disk.Span(path).Length, "manifest", "zeros after the last edit", Verdict.Harmless));
    }
}
