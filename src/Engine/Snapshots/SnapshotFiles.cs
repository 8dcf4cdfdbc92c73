using Varve.Format;
using Varve.Storage;

namespace Varve.Snapshots;

/// <summary>A manifest as it stands in its file, and decoded.</summary>
internal sealed record ReadManifest(byte[] File, SnapshotManifest Manifest);

/// <summary>Reads the parts of a snapshot's directory, which may hold anything: every failure is a refusal.</summary>
internal static class SnapshotFiles
{
    /// <summary>The manifest's bytes, of a length that a manifest can have.</summary>
    public static byte[] ReadManifestFile(IStorage storage, string snapshotDirectory)
    {
        using var file = OpenPart(storage, Path.Combine(snapshotDirectory, SnapshotNames.Manifest));
        var length = file.Length;
        if (length is <= 0 or > SnapshotManifestCodec.FileLengthMax)
            throw new SnapshotRejectedException(file.Path, $"manifest of {length} bytes: the length is out of range");
        // Exactly as long: a pooled array is up to twice that, and the bound on what a manifest may cost counts its
        // file.
        var manifest = GC.AllocateUninitializedArray<byte>((int)length);
        file.Read(0, manifest);
        return manifest;
    }

    /// <summary>Decodes a manifest within its bounds.</summary>
    /// <param name="file">Its bytes.</param>
    /// <param name="path">The file that holds them, from <paramref name="start"/> on.</param>
    /// <param name="start">0, or where the manifest begins in a packed snapshot.</param>
    public static SnapshotManifest DecodeManifest(ReadOnlySpan<byte> file, string path, long start = 0) =>
        SnapshotManifestCodec.TryDecode(file, out var manifest, out var error)
            ? manifest
            : throw Rejected(path, start, "manifest", error);

    /// <summary>
    /// Opens a file of a snapshot; a link or a pipe in its place is refused by the storage, and so the snapshot.
    /// </summary>
    public static IStorageFile OpenPart(IStorage storage, string path)
    {
        if (!storage.FileExists(path)) throw new SnapshotRejectedException(path, "no such file");
        try
        {
            return storage.Open(path, FileIntent.Read);
        }
        catch (NotAPlainFileException other)
        {
            throw new SnapshotRejectedException(path, "not a plain file", other);
        }
    }

    /// <summary>A refusal that names the part and the byte; an unsupported format if another build wrote it.</summary>
    public static VarveException Rejected(string path, long start, string part, DecodeError error) =>
        error.IsUnsupported
            ? new UnsupportedFormatException(path, start + error.Offset, error.Reason)
            : new SnapshotRejectedException(path, $"{part} at offset {start + error.Offset}: {error.Reason}");
}
