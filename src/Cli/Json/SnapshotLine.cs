using Varve.Snapshots;

namespace Varve.Cli.Json;

/// <summary>A snapshot: its position and checksum, and what a command knows of it.</summary>
internal sealed record SnapshotLine(
    ulong Index, ulong Term, string Checksum, string? Path = null, int? Tables = null, long? Bytes = null,
    long? Keys = null, long? PackedBytes = null)
{
    public static SnapshotLine Of(SnapshotMetadata metadata) => new(
        metadata.LastIncluded.Index, metadata.LastIncluded.Term, Convert.ToHexStringLower(metadata.Checksum.Span));

    public static SnapshotLine Of(string path, ManifestFile snapshot) => Of(snapshot.Metadata) with
    {
        Path = path,
        Tables = snapshot.Manifest.Tables.Length,
        Keys = snapshot.Manifest.State.LiveCount,
    };
}
