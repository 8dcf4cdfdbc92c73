using CommunityToolkit.HighPerformance.Buffers;
using Varve.Format;
using Varve.Storage;

namespace Varve.Snapshots;

/// <summary>Reads the parts of a snapshot's directory, which may hold anything: every failure is a refusal.</summary>
internal static class SnapshotFiles
{
    /// <summary>The manifest's bytes, of a length that a manifest can have.</summary>
    public static MemoryOwner<byte> ReadManifestFile(IStorage storage, string snapshotDirectory)
    {
        using var file = OpenPart(storage, Path.Combine(snapshotDirectory, SnapshotNames.Manifest));
        var length = file.Length;
        if (length is 0 or > SnapshotManifestCodec.FileLengthMax) throw new SnapshotRejectedException(file.Path, "the manifest's length is out of bounds");
        var manifest = MemoryOwner<byte>.Allocate((int)length);
        try
        {
            file.Read(0, manifest.Span);
            return manifest;
        }
        catch
        {
            manifest.Dispose();
            throw;
        }
    }

    /// <summary>Decodes a manifest within its bounds.</summary>
    public static SnapshotManifest DecodeManifest(ReadOnlySpan<byte> file, string directory) =>
        SnapshotManifestCodec.TryDecode(file, out var manifest, out var error) ? manifest : throw Rejected(directory, "manifest", error);

    /// <summary>Opens a file of a snapshot; a link is refused by the storage.</summary>
    public static IStorageFile OpenPart(IStorage storage, string path) =>
        storage.FileExists(path) ? storage.Open(path, FileIntent.Read) : throw new SnapshotRejectedException(path, "the file is missing");

    /// <summary>A refusal that names the part and the byte.</summary>
    public static SnapshotRejectedException Rejected(string path, string part, DecodeError error) => new(path, $"{part}: expected {error}");
}
