using System.IO.Hashing;
using Varve.Format;

namespace Varve.Cli.Snapshots;

/// <summary>Reads every byte of a snapshot and compares it with what its manifest says. Memory does not depend on its size.</summary>
internal static class SnapshotVerifier
{
    private const int BufferBytes = 1 << 20;

    /// <returns>Bytes read.</returns>
    /// <exception cref="CorruptionException">A byte is not what the manifest says.</exception>
    public static long Verify(SnapshotFile snapshot, CancellationToken cancellationToken) =>
        snapshot.IsPacked ? VerifyPacked(snapshot, cancellationToken) : VerifyDirectory(snapshot, cancellationToken);

    private static long VerifyDirectory(SnapshotFile snapshot, CancellationToken cancellationToken)
    {
        long total = snapshot.ManifestLength;
        foreach (var (_, table) in snapshot.Manifest.Tables)
        {
            var path = Path.Combine(snapshot.Path, SnapshotNames.Table(table));
            if (!File.Exists(path)) throw new CorruptionException(path, 0, "snapshot (the table is missing)");
            using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 0);
            if (stream.Length != table.Length) throw new CorruptionException(path, 0, "table length", table.Length.ToString(), stream.Length.ToString());
            var hash = new XxHash128();
            Copy(stream, table.Length, path, cancellationToken, hash);
            RequireHash(table, hash, path, 0);
            total += table.Length;
        }

        return total;
    }

    private static long VerifyPacked(SnapshotFile snapshot, CancellationToken cancellationToken)
    {
        var path = snapshot.Path;
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 0);
        var header = SnapshotFile.ReadPackHeader(stream, path);
        if (header.FileCount != snapshot.Manifest.Tables.Length)
            throw new CorruptionException(path, 0, "pack file count", snapshot.Manifest.Tables.Length.ToString(), header.FileCount.ToString());

        var all = new XxHash128();
        stream.Position = 0;
        Copy(stream, PackFormat.HeaderSize + snapshot.ManifestLength, path, cancellationToken, all);
        var fileHeader = new byte[PackFormat.FileHeaderSize];
        foreach (var (_, table) in snapshot.Manifest.Tables)
        {
            var start = stream.Position;
            var read = stream.ReadAtLeast(fileHeader, fileHeader.Length, throwOnEndOfStream: false);
            all.Append(fileHeader.AsSpan(0, read));
            if (!PackFormat.TryDecodeFileHeader(fileHeader.AsSpan(0, read), table.Length, out var error))
                throw new CorruptionException(path, start + error.Offset, $"packed snapshot ({error.Reason})");
            var hash = new XxHash128();
            Copy(stream, table.Length, path, cancellationToken, all, hash);
            RequireHash(table, hash, path, start + PackFormat.FileHeaderSize);
        }

        RequireTrailer(stream, all.GetCurrentHashAsUInt128(), path);
        return stream.Length;
    }

    private static void RequireTrailer(FileStream stream, UInt128 hash, string path)
    {
        var start = stream.Position;
        var trailer = new byte[PackFormat.TrailerSize];
        var read = stream.ReadAtLeast(trailer, trailer.Length, throwOnEndOfStream: false);
        if (!PackFormat.TryDecodeTrailer(trailer.AsSpan(0, read), hash, out var error))
            throw new CorruptionException(path, start + error.Offset, $"packed snapshot ({error.Reason})");
        if (stream.Position != stream.Length) throw new CorruptionException(path, stream.Position, "packed snapshot (bytes after its end)");
    }

    private static void RequireHash(TableDescriptor table, XxHash128 hash, string path, long offset)
    {
        var actual = hash.GetCurrentHashAsUInt128();
        if (actual != table.Hash) throw new CorruptionException(path, offset, "table hash", $"{table.Hash:x32}", $"{actual:x32}");
    }

    private static void Copy(Stream stream, long length, string path, CancellationToken cancellationToken, params ReadOnlySpan<XxHash128> hashes)
    {
        var buffer = new byte[(int)Math.Min(BufferBytes, Math.Max(length, 1))];
        while (length > 0)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var read = stream.Read(buffer, 0, (int)Math.Min(buffer.Length, length));
            if (read == 0) throw new CorruptionException(path, stream.Position, "snapshot (the file ends early)");
            foreach (var hash in hashes) hash.Append(buffer.AsSpan(0, read));
            length -= read;
        }
    }
}
