using Varve.Contract;
using Varve.Format;
using Varve.Storage;

namespace Varve.Snapshots;

/// <summary>Reads the parts of a snapshot, which may hold anything.</summary>
internal static class SnapshotFiles
{
    /// <summary>Reads the manifest of a snapshot, a directory or a packed file, and nothing else.</summary>
    /// <exception cref="FileNotFoundException">There is no snapshot at the path.</exception>
    /// <exception cref="CorruptionException">The manifest is damaged.</exception>
    /// <exception cref="SnapshotRejectedException">A part is not a plain file, or its length is out of
    /// range.</exception>
    /// <exception cref="UnsupportedFormatException">The manifest is intact and of a newer build.</exception>
    public static ManifestFile Read(IStorage storage, string path)
    {
        path = storage.ResolveLink(path);
        if (!storage.DirectoryExists(path))
        {
            if (!storage.FileExists(path))
                throw new FileNotFoundException($"{path}: no such file or directory", path);
            using var file = OpenPart(storage, path);
            return new PackReader(file, static damage => throw damage).ReadManifest()!;
        }

        var manifest = Path.Combine(path, SnapshotNames.Manifest);
        if (!storage.FileExists(manifest)) throw new FileNotFoundException($"{manifest}: no such file", manifest);
        var bytes = ReadManifestFile(storage, path);
        return TryDecode(bytes, manifest, static damage => throw damage)!;
    }

    /// <summary>Reads the manifest of a snapshot's directory.</summary>
    /// <exception cref="SnapshotRejectedException">The directory has no intact manifest.</exception>
    /// <exception cref="UnsupportedFormatException">The manifest is intact and of a newer build.</exception>
    public static ManifestFile ReadDirectory(IStorage storage, string directory) =>
        DecodeOrRefuse(ReadManifestFile(storage, directory), directory);

    /// <summary>Decodes the manifest of a snapshot's directory.</summary>
    /// <exception cref="SnapshotRejectedException">The manifest is damaged.</exception>
    /// <exception cref="UnsupportedFormatException">The manifest is intact and of a newer build.</exception>
    public static ManifestFile DecodeOrRefuse(byte[] bytes, string directory) =>
        TryDecode(bytes, Path.Combine(directory, SnapshotNames.Manifest), static damage => throw Refusal(damage))!;

    /// <summary>Reads the manifest's bytes; their length is one that a manifest can have.</summary>
    public static byte[] ReadManifestFile(IStorage storage, string directory)
    {
        using var file = OpenPart(storage, Path.Combine(directory, SnapshotNames.Manifest));
        var length = file.Length;
        if (length is <= 0 or > SnapshotManifestCodec.FileLengthMax)
            throw new SnapshotRejectedException(file.Path, $"manifest of {length} bytes: the length is out of range");
        // Exactly as long: a pooled array may have twice the length, and the memory bound of a manifest counts its
        // file.
        var manifest = GC.AllocateUninitializedArray<byte>((int)length);
        file.Read(0, manifest);
        return manifest;
    }

    /// <summary>Decodes a manifest within its bounds; null, after a report, if it is damaged.</summary>
    /// <param name="bytes">The manifest's bytes.</param>
    /// <param name="path">Its file.</param>
    /// <param name="report">Receives the damage; may throw it.</param>
    public static ManifestFile? TryDecode(byte[] bytes, string path, Action<VarveException> report)
    {
        if (SnapshotManifestCodec.TryDecode(bytes, out var manifest, out var error))
            return new ManifestFile(bytes, manifest, IsPacked: false);
        report(DecodeFailure.Of(path, 0, CorruptionKind.SnapshotManifest, error));
        return null;
    }

    /// <summary>Opens a file of a snapshot. The storage refuses a link or a pipe, and so does this.</summary>
    /// <exception cref="SnapshotRejectedException">There is no plain file at the path.</exception>
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

    /// <summary>The refusal of a snapshot for a damage; a file of a newer build stays what it is.</summary>
    public static VarveException Refusal(VarveException damage) => damage switch
    {
        UnsupportedFormatException => damage,
        CorruptionException corruption => new SnapshotRejectedException(
            corruption.Path, $"{corruption.Kind} at offset {corruption.Offset}: {corruption.Problem}", damage),
        _ => damage,
    };
}
