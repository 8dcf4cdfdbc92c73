using Varve.Contract;
using Varve.Format;
using Varve.Storage;

namespace Varve.Versions;

/// <summary>Reads a manifest file; writes nothing.</summary>
internal static class ManifestReader
{
    /// <summary>Reads to the end of the log, past damage if valid records follow it.</summary>
    /// <param name="storage">The file system.</param>
    /// <param name="path">The manifest file.</param>
    /// <param name="databaseId">The database that the manifest must be of; null: any.</param>
    /// <param name="report">Called with each damage; it may throw it.</param>
    /// <returns>Null, after a report, if the header cannot be read.</returns>
    public static ManifestImage? Read(IStorage storage, string path, Guid? databaseId, Action<VarveException> report)
    {
        if (!storage.FileExists(path))
            return Damaged(report, path, 0, CorruptionKind.Manifest, "no such file, CURRENT names it");
        using var file = storage.Open(path, FileIntent.Read);
        if (file.Length > Array.MaxLength)
            return Damaged(
                report, path, Array.MaxLength, CorruptionKind.Manifest, $"file is too long: {file.Length} bytes");
        var bytes = GC.AllocateUninitializedArray<byte>((int)file.Length);
        file.Read(0, bytes);

        if (!ManifestLog.TryDecodeHeader(bytes, out var actualId, out var salt, out var error))
        {
            report(DecodeFailure.Of(path, 0, CorruptionKind.ManifestHeader, error));
            return null;
        }

        if (databaseId is { } expected && actualId != expected)
            return Damaged(
                report, path, ManifestLog.DatabaseIdOffset, CorruptionKind.ManifestHeader,
                $"database id is {actualId}, IDENTITY says {expected}");
        // This much is allocated before the file is named. A shorter file was cut off, perhaps between two edits.
        if (bytes.Length < ManifestStore.Ahead)
            Damaged(
                report, path, bytes.Length, CorruptionKind.Manifest,
                $"file is {bytes.Length} bytes long, shorter than any manifest ({ManifestStore.Ahead})");
        return ReadRecords(path, bytes, salt, report);
    }

    private static ManifestImage ReadRecords(string path, byte[] bytes, ulong salt, Action<VarveException> report)
    {
        var content = new ManifestContent();
        var edits = 0;
        var torn = 0L;
        var isWhole = true;
        long[]? beyond = null;   // offsets of whole records after the first invalid one
        long offset = ManifestLog.HeaderSize, end = offset;
        while (true)
        {
            var result = ManifestLog.TryReadRecord(bytes, offset, salt, out var payload, out var next);
            if (result == ManifestReadResult.End) break;
            if (result == ManifestReadResult.Invalid)
            {
                beyond ??= ManifestScan.Find(bytes, offset, salt, out _);
                var at = Array.BinarySearch(beyond, offset);
                at = at < 0 ? ~at : at + 1;
                if (at == beyond.Length)
                {
                    torn = LengthOfRest(bytes, offset);
                    break;
                }

                // An edit is synced before the next is written, so a whole record after a broken one proves that the
                // broken one was durable (I5).
                Damaged(
                    report, path, offset, CorruptionKind.ManifestRecord,
                    "no valid record, with valid records after it");
                isWhole = false;
                offset = beyond[at];
                continue;
            }

            edits++;
            if (!VersionEditCodec.TryDecode(payload, out var edit, out var error))
            {
                report(
                    DecodeFailure.Of(path, offset + ManifestLog.RecordHeaderSize, CorruptionKind.VersionEdit, error));
                isWhole = false;
            }
            else if (content.Apply(edit) is { } fault && isWhole) // after a lost edit, others cannot fit
            {
                Damaged(report, path, offset, CorruptionKind.VersionEdit, fault);
                isWhole = false;
            }

            offset = end = next;
        }

        if (edits == 0) Damaged(report, path, ManifestLog.HeaderSize, CorruptionKind.Manifest, "no first record");
        if (isWhole && content.FindOverlap() is { } overlap)
            Damaged(report, path, end, CorruptionKind.Manifest, overlap);
        return new ManifestImage(content, salt, end, torn, edits);
    }

    private static long LengthOfRest(byte[] bytes, long offset) =>
        bytes.AsSpan((int)offset).LastIndexOfAnyExcept((byte)0) + 1;

    private static ManifestImage? Damaged(
        Action<VarveException> report, string path, long offset, string kind, string problem)
    {
        report(CorruptionException.Of(path, offset, kind, problem));
        return null;
    }
}
