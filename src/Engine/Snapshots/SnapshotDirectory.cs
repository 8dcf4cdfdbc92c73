using System.Buffers.Binary;
using Varve.Format;
using Varve.Snapshots;
using Varve.Storage;

namespace Varve;

/// <summary>
/// The content of a snapshot, as its manifest states it: position, mark, tables. Reads the manifest alone, so it says
/// nothing about the tables' bytes. Immutable; any thread.
/// </summary>
/// <remarks>
/// A receiver that has older tables fetches the manifest first, links the tables that it has
/// (<see cref="LsmStateMachine.TryLinkSnapshotFile"/>), fetches the others under their names, and writes
/// <see cref="Manifest"/> as <see cref="ManifestFileName"/> beside them. The directory is then a snapshot, and an
/// install verifies every byte of it.
/// </remarks>
public sealed class SnapshotDirectory
{
    private readonly ManifestFile _manifest;

    private SnapshotDirectory(ManifestFile manifest)
    {
        _manifest = manifest;
        Metadata = manifest.Metadata;
        Files = [.. manifest.Manifest.Tables.Select(added => FileOf(added.Table))];
    }

    /// <summary>The name of the manifest in a snapshot's directory.</summary>
    public static string ManifestFileName => SnapshotNames.Manifest;

    /// <summary>The last included entry, and the checksum of the manifest.</summary>
    public SnapshotMetadata Metadata { get; }

    /// <summary>The tables, newest run first.</summary>
    public IReadOnlyList<SnapshotFile> Files { get; }

    /// <summary>The bytes of the manifest file, whose SHA-256 is the snapshot's checksum.</summary>
    public ReadOnlyMemory<byte> Manifest => _manifest.Bytes;

    /// <summary>Reads the manifest of a snapshot: a directory or a packed file.</summary>
    /// <param name="path">The path, which may be a symbolic link.</param>
    /// <exception cref="ArgumentException">The path is null or empty.</exception>
    /// <exception cref="FileNotFoundException">There is no snapshot at the path.</exception>
    /// <exception cref="SnapshotRejectedException">A part is not a plain file, or its length is out of
    /// range.</exception>
    /// <exception cref="CorruptionException">The manifest is damaged.</exception>
    /// <exception cref="UnsupportedFormatException">The manifest is intact and of a newer build.</exception>
    /// <exception cref="IOException">The disk failed.</exception>
    public static SnapshotDirectory Open(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return new SnapshotDirectory(SnapshotFiles.Read(Storages.Default, Path.GetFullPath(path)));
    }

    /// <summary>Reads a manifest that was received.</summary>
    /// <param name="manifest">The bytes of the manifest file; copied.</param>
    /// <exception cref="SnapshotRejectedException">The bytes are no intact manifest.</exception>
    /// <exception cref="UnsupportedFormatException">The manifest is intact and of a newer build.</exception>
    public static SnapshotDirectory FromManifest(ReadOnlySpan<byte> manifest)
    {
        if (manifest.Length is 0 or > SnapshotManifestCodec.FileLengthMax)
            throw new SnapshotRejectedException(
                ManifestFileName, $"manifest of {manifest.Length} bytes: the length is out of range");
        return new SnapshotDirectory(SnapshotFiles.DecodeOrRefuse(manifest.ToArray(), ""));
    }

    /// <summary>Reads the mark of the outer log at the snapshot's index.</summary>
    /// <param name="destination">Receives the mark, or as much of it as fits.</param>
    /// <returns>The mark's length in bytes, at most 64; 0: there is none.</returns>
    public int ReadMark(Span<byte> destination) => _manifest.Manifest.State.Mark.CopyTo(destination);

    private static SnapshotFile FileOf(TableDescriptor table)
    {
        var hash = new byte[16];
        BinaryPrimitives.WriteUInt128BigEndian(hash, table.Hash);
        return new SnapshotFile(SnapshotNames.Table(table), table.Length, hash);
    }
}
