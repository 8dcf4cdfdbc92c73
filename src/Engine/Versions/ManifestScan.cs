using Varve.Format;

namespace Varve.Versions;

/// <summary>
/// Looks for whole records in the part of a manifest to which no chain of records leads. A record may begin at any
/// multiple of 8, and only its checksum tells it from bytes that look like one; an enemy lets one begin at every
/// sixteenth byte and reach to the end, and to hash each would take the square of the file. So the work has a bound,
/// <see cref="HashesMax"/> times the file, and the shorter come first: records up to 512 bytes cannot use the bound up,
/// for a header takes sixteen bytes of its own. What is not looked at is taken for a torn tail's bytes, as in the log.
/// </summary>
internal static class ManifestScan
{
    private const long HashesMax = 32;

    /// <summary>
    /// Where whole records begin after an offset, ascending; and how many bytes were hashed to find them.
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
