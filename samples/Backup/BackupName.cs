using System.Globalization;

namespace Varve.Samples.Backup;

/// <summary>
/// The name of a backup's directory: index, term and checksum. An install asks for all three, so they are kept apart
/// from the bytes that they protect.
/// </summary>
internal static class BackupName
{
    public static string Of(SnapshotMetadata metadata) => string.Create(
        CultureInfo.InvariantCulture,
        $"{metadata.LastIncluded.Index}-{metadata.LastIncluded.Term}-{Convert.ToHexString(metadata.Checksum.Span)}");

    /// <exception cref="FormatException">The name is not that of a backup.</exception>
    public static SnapshotMetadata Parse(string directory)
    {
        var name = Path.GetFileName(Path.TrimEndingDirectorySeparator(directory));
        var parts = name.Split('-');
        return parts.Length == 3
            && ulong.TryParse(parts[0], CultureInfo.InvariantCulture, out var index)
            && ulong.TryParse(parts[1], CultureInfo.InvariantCulture, out var term)
            && parts[2].Length == 64
                ? new SnapshotMetadata(new LogId(index, term), Convert.FromHexString(parts[2]))
                : throw new FormatException($"{name} is not the name of a backup");
    }
}
