using Varve.Contract;
using Varve.Format;
using Varve.Storage;
using Varve.Versions;

namespace Varve.Inspection;

/// <summary>
/// The contents of IDENTITY, CURRENT and the manifest. Replaces a damaged one by what the other files say.
/// </summary>
internal sealed class DatabaseRoot
{
    public Guid DatabaseId { get; private init; }

    /// <summary>Name of the manifest; null if none is known.</summary>
    public string? ManifestName { get; private init; }

    /// <summary>Content of the manifest; null if it is unreadable.</summary>
    public ManifestContent? Content { get; private init; }

    /// <summary>
    /// True if the manifest is intact and the current one: only files that it names belong to the database.
    /// </summary>
    public bool IsSound { get; private init; }

    /// <summary>
    /// First segment of the log, by the manifest or else by the links of the segments; null: there is no log yet.
    /// </summary>
    public ulong? FirstSegment { get; private init; }

    public static DatabaseRoot Read(IStorage storage, string directory, IReadOnlyList<string> names, Findings findings)
    {
        var identity = ReadPointer(storage, directory, FileNames.Identity, findings);
        var current = ReadPointer(storage, directory, FileNames.Current, findings);
        if (identity is { } one && current is { } other && one.DatabaseId != other.DatabaseId)
            findings.Report(
                Path.Combine(directory, FileNames.Current), 16, CorruptionKind.Current,
                $"database id is {other.DatabaseId}, IDENTITY says {one.DatabaseId}");
        var segments = NumbersOf(names, FileNames.SegmentSuffix).ToList();
        var id = identity?.DatabaseId ?? current?.DatabaseId ?? IdOfSegments(storage, directory, segments);

        var manifests = NumbersOf(names, FileNames.ManifestSuffix).ToList();
        var newest = manifests.DefaultIfEmpty().Max();
        var name = current is { } pointer
            ? FileNames.Manifest(pointer.ManifestNumber)
            : newest == 0 ? null
            : FileNames.Manifest(newest);
        var before = findings.Damages;
        var image = name is null ? null : ReadManifest(storage, Path.Combine(directory, name), id, findings);
        // An old manifest is deleted only after CURRENT names the new one (I5): a single manifest is the current one.
        var isNamed = current is not null || manifests.Count == 1;
        return new DatabaseRoot
        {
            DatabaseId = id ?? default,
            ManifestName = name,
            Content = image?.Content,
            IsSound = isNamed && image is not null && findings.Damages == before,
            FirstSegment = image is null || image.Edits == 0
                ? LooseLog.FirstSegment(storage, directory, segments)
                : image.Content.FirstSegment == 0 ? null
                : image.Content.FirstSegment,
        };
    }

    private static ManifestImage? ReadManifest(IStorage storage, string path, Guid? databaseId, Findings findings)
    {
        if (storage.FileExists(path))
        {
            findings.Files++;
            findings.ReadThrough(storage, path, 0);
        }

        var image = ManifestReader.Read(storage, path, databaseId, findings.Report);
        if (image is { TornBytes: > 0 })
            findings.Remark(
                path, image.End, "manifest tail",
                $"torn tail of {image.TornBytes} bytes, of an unacknowledged edit; an open drops them");
        return image;
    }

    private static PointerFile? ReadPointer(IStorage storage, string directory, string name, Findings findings)
    {
        var path = Path.Combine(directory, name);
        if (!storage.FileExists(path))
        {
            var kind = name == FileNames.Current ? CorruptionKind.Current : CorruptionKind.Identity;
            findings.Report(path, 0, kind, "no such file");
            return null;
        }

        using var file = storage.Open(path, FileIntent.Read);
        var bytes = new byte[Math.Min(file.Length, PointerFile.Size + 1)];
        file.Read(0, bytes);
        findings.Files++;
        findings.Bytes += bytes.Length;
        if (PointerFile.TryDecode(bytes, out var pointer, out var error)) return pointer;
        findings.Report(DecodeFailure.Of(path, 0, CorruptionKind.PointerFile, error));
        return null;
    }

    private static Guid? IdOfSegments(IStorage storage, string directory, List<ulong> segments)
    {
        var start = new byte[64];
        foreach (var number in segments)
        {
            using var file = storage.Open(Path.Combine(directory, FileNames.Segment(number)), FileIntent.Read);
            if (file.Length < start.Length) continue;
            file.Read(0, start);
            if (WalSegmentHeader.TryDecode(start, out var header, out _)) return header.DatabaseId;
        }

        return null;
    }

    private static IEnumerable<ulong> NumbersOf(IReadOnlyList<string> names, string suffix)
    {
        foreach (var name in names)
            if (FileNames.TryParse(name, suffix, out var number)) yield return number;
    }
}
