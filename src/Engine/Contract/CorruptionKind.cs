namespace Varve.Contract;

/// <summary>
/// The values of <see cref="CorruptionException.Kind"/>: the structure that holds the damage. The only list.
/// </summary>
internal static class CorruptionKind
{
    public const string SegmentHeader = "segment header";
    public const string Segment = "segment";
    public const string Record = "record";
    public const string Log = "log";
    public const string Operation = "operation";
    public const string ChunkRecord = "chunk record";
    public const string ManifestHeader = "manifest header";
    public const string ManifestRecord = "manifest record";
    public const string Manifest = "manifest";
    public const string VersionEdit = "version edit";
    public const string SnapshotManifest = "snapshot manifest";
    public const string TableFooter = "table footer";
    public const string TableIndex = "table index";
    public const string TableProperties = "table properties";
    public const string TableFilter = "table filter";
    public const string TableLeases = "table leases";
    public const string Table = "table";
    public const string DataBlock = "data block";
    public const string PackedSnapshot = "packed snapshot";
    public const string PackHeader = "pack header";
    public const string PackFileHeader = "pack file header";
    public const string PackTrailer = "pack trailer";
    public const string PointerFile = "pointer file";
    public const string Current = "current";
    public const string Identity = "identity";
}
