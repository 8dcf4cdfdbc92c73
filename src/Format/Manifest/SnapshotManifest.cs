namespace Varve.Format;

/// <summary>
/// A snapshot directory's manifest: the state at one index and the tables that hold it, newest run first. Stored as
/// <c>MANIFEST.varve</c>, one zstd frame of bounded size; the snapshot's checksum is SHA-256 of that file.
/// </summary>
internal sealed record SnapshotManifest
{
    public required Guid DatabaseId { get; init; }

    public required MachineState State { get; init; }

    /// <summary>The tables, each a file <c>{OriginNumber:D12}-{Hash:x32}.vtab</c> beside the manifest.</summary>
    public required AddedTable[] Tables { get; init; }
}
