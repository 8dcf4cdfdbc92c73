using Varve.Format;

namespace Varve.Versions;

/// <summary>
/// Finds whole records behind an invalid one. A record may begin at any multiple of 8, and only its checksum tells it
/// from bytes that look like one. A hostile file has a candidate at every sixteenth byte that reaches to the end;
/// hashing each would take the square of the file's length. So the work is bounded by <see cref="HashesMax"/> times the
/// file, and shorter candidates come first: those up to 512 bytes cannot use the bound up, since each has a header of
/// sixteen bytes of its own. Candidates beyond the bound count as a torn tail, as in the log.
/// </summary>
internal static class ManifestScan
{
    private const long HashesMax = 32;

    /// <summary>
    /// The offsets of whole records after an offset, ascending; and the number of bytes that were hashed to find them.
    /// </summary>
    public static long[] Find(ReadOnlySpan<byte> file, long offset, ulong salt, out long hashed)
    {
        var candidates = new List<(int Length, long Offset)>();
        for (var at = ManifestLog.NextCandidate(file, offset); at <= file.Length - ManifestLog.RecordHeaderSize;
            at = ManifestLog.NextCandidate(file, at))
            if (ManifestLog.MayBeAt(file, at, out var length)) candidates.Add((length, at));
        candidates.Sort();
        var found = new List<long>();
        hashed = 0;
        foreach (var (length, at) in candidates)
        {
            if (hashed + length > HashesMax * file.Length) break;
            hashed += length;
            if (ManifestLog.TryReadRecord(file, at, salt, out _, out _) == ManifestReadResult.Record) found.Add(at);
        }

        found.Sort();
        return [.. found];
    }
}
