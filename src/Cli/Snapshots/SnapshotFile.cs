using System.Security.Cryptography;
using Varve.Contract;
using Varve.Format;

namespace Varve.Cli.Snapshots;

/// <summary>A snapshot on disk, a directory or a packed file, as far as its manifest tells.</summary>
internal sealed class SnapshotFile
{
    private SnapshotFile(string path, bool isPacked, byte[] manifestBytes, SnapshotManifest manifest)
    {
        Path = path;
        IsPacked = isPacked;
        Manifest = manifest;
        ManifestLength = manifestBytes.Length;
        var last = new LogId(manifest.State.LastIndex, manifest.State.LastTerm);
        Metadata = new SnapshotMetadata(last, SHA256.HashData(manifestBytes));
    }

    public string Path { get; }

    public bool IsPacked { get; }

    public SnapshotManifest Manifest { get; }

    public int ManifestLength { get; }

    /// <summary>What the manifest says the snapshot is; its checksum is that of the manifest as it is now.</summary>
    public SnapshotMetadata Metadata { get; }

    /// <summary>Reads the manifest and nothing else.</summary>
    public static SnapshotFile Open(string path)
    {
        var isPacked = !Directory.Exists(path);
        var manifestPath = isPacked ? path : System.IO.Path.Combine(path, SnapshotNames.Manifest);
        var bytes = isPacked ? ReadPackedManifest(path) : ReadManifest(manifestPath);
        if (SnapshotManifestCodec.TryDecode(bytes, out var manifest, out var error))
            return new SnapshotFile(path, isPacked, bytes, manifest);
        throw DecodeFailure.Of(manifestPath, isPacked ? PackFormat.HeaderSize : 0, "snapshot manifest", error);
    }

    private static byte[] ReadManifest(string path)
    {
        using var stream = File.OpenRead(path);
        if (stream.Length > SnapshotManifestCodec.FileLengthMax)
            throw CorruptionException.Of(path, 0, "snapshot manifest", $"length {stream.Length} is out of range");
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return bytes;
    }

    private static byte[] ReadPackedManifest(string path)
    {
        using var stream = File.OpenRead(path);
        var header = ReadPackHeader(stream, path);
        var length = (int)Math.Min(header.ManifestLength, stream.Length - stream.Position);
        if (length < header.ManifestLength)
            throw CorruptionException.Of(path, stream.Position, "packed snapshot", "file ends inside its manifest");
        var bytes = new byte[length];
        stream.ReadExactly(bytes);
        return bytes;
    }

    public static PackHeader ReadPackHeader(Stream stream, string path)
    {
        var bytes = new byte[PackFormat.HeaderSize];
        var read = stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
        return PackFormat.TryDecodeHeader(bytes.AsSpan(0, read), out var header, out var error)
            ? header
            : throw DecodeFailure.Of(path, 0, "pack header", error);
    }
}
