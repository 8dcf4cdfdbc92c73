using System.IO.Hashing;
using CommunityToolkit.HighPerformance.Buffers;
using Varve.Contract;
using Varve.Format;
using Varve.Storage;

namespace Varve.Inspection;

/// <summary>Checks a packed snapshot; its tables are read where they lie in it.</summary>
internal static class PackCheck
{
    private const int Piece = 1 << 20;

    /// <summary>A table in a pack.</summary>
    public readonly record struct Part(string Path, AddedTable Table);

    public static void Run(IStorage storage, string path, bool deep, Findings findings)
    {
        using var parts = new FileParts(storage, path);
        if (Open(storage, path, parts, findings, out var tables, out var end) is not { } manifest) return;
        TableCheck.RunAll(
            parts, tables.Select(part => (part.Path, part.Table)), manifest.State.HashSeed, deep, findings);
        CheckTrailer(storage, path, end, deep, findings);
    }

    /// <summary>
    /// Reads header and manifest, and finds the tables that the file has whole; null, after a report, without a
    /// manifest.
    /// </summary>
    public static SnapshotManifest? Open(
        IStorage storage, string path, FileParts parts, Findings findings, out List<Part> tables, out long end)
    {
        tables = [];
        end = -1;
        using var file = storage.Open(path, FileIntent.Read);
        var length = file.Length;
        findings.Files++;
        var start = new byte[Math.Min(length, PackFormat.HeaderSize)];
        file.Read(0, start);
        findings.Bytes += start.Length;
        if (!PackFormat.TryDecodeHeader(start, out var header, out var error))
        {
            findings.Report(DecodeFailure.Of(path, 0, "pack header", error));
            return null;
        }

        if (PackFormat.HeaderSize + header.ManifestLength > length)
        {
            findings.Report(
                path, length, "packed snapshot", $"file ends inside its manifest of {header.ManifestLength} bytes");
            return null;
        }

        using var bytes = MemoryOwner<byte>.Allocate(header.ManifestLength);
        file.Read(PackFormat.HeaderSize, bytes.Span);
        findings.Bytes += bytes.Length;
        if (SnapshotCheck.Decode(bytes.Span, path, PackFormat.HeaderSize, findings) is not { } manifest) return null;
        if (manifest.Tables.Length != header.FileCount)
            findings.Report(
                path, PackFormat.FileCountOffset, "pack header",
                $"pack has {header.FileCount} files, manifest names {manifest.Tables.Length} tables");
        end = FindTables(
            file, length, manifest, PackFormat.HeaderSize + header.ManifestLength, parts, tables, findings);
        return manifest;
    }

    /// <summary>Where the tables end, or -1 when the file ends inside one.</summary>
    private static long FindTables(
        IStorageFile file, long length, SnapshotManifest manifest, long at, FileParts parts, List<Part> tables,
        Findings findings)
    {
        Span<byte> field = stackalloc byte[PackFormat.FileHeaderSize];
        foreach (var added in manifest.Tables)
        {
            var name = SnapshotNames.Table(added.Table);
            if (length - at < PackFormat.FileHeaderSize || length - at - PackFormat.FileHeaderSize < added.Table.Length)
            {
                findings.Report(
                    file.Path, length, "packed snapshot",
                    $"file ends at {length}, inside of {name}, {added.Table.Length} bytes at {at}");
                return -1;
            }

            file.Read(at, field);
            if (!PackFormat.TryDecodeFileHeader(field, added.Table.Length, out var error))
                findings.Report(file.Path, at + error.Offset, "pack file header", error.Reason);
            at += PackFormat.FileHeaderSize;
            var part = parts.Add(name, at, added.Table.Length);
            findings.NotePart(part, file.Path, at);
            tables.Add(new Part(part, added));
            at += added.Table.Length;
        }

        return at;
    }

    private static void CheckTrailer(IStorage storage, string path, long end, bool deep, Findings findings)
    {
        using var file = storage.Open(path, FileIntent.Read);
        var length = file.Length;
        if (end < 0) return; // reported: the file ends before
        if (length != end + PackFormat.TrailerSize)
        {
            findings.Report(
                path, Math.Min(length, end + PackFormat.TrailerSize), "packed snapshot",
                $"file length is {length}, tables and trailer end at {end + PackFormat.TrailerSize}");
            if (length < end + PackFormat.TrailerSize) return;
        }

        if (!deep) return;
        var before = findings.Damages;
        var hash = new XxHash128();
        var buffer = new byte[Math.Min(Piece, end)];
        for (long at = 0; at < end; at += buffer.Length)
        {
            var part = buffer.AsSpan(0, (int)Math.Min(buffer.Length, end - at));
            file.Read(at, part);
            hash.Append(part);
        }

        var trailer = new byte[PackFormat.TrailerSize];
        file.Read(end, trailer);
        // A damage before the trailer changes the hash too; then it is no news that they differ.
        if (before == 0 && !PackFormat.TryDecodeTrailer(trailer, hash.GetCurrentHashAsUInt128(), out var error))
            findings.Report(path, end + error.Offset, "pack trailer", error.Reason);
    }
}
