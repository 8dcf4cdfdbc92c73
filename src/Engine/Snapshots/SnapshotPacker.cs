using System.IO.Hashing;
using System.IO.Pipelines;
using Varve.Format;
using Varve.Storage;

namespace Varve.Snapshots;

/// <summary>
/// Turns a snapshot's directory into one stream and back (<see cref="PackFormat"/> draws it). Both ways stream: memory
/// is the manifest and one buffer, whatever the size of the tables.
/// </summary>
internal static class SnapshotPacker
{
    private const int PieceLength = 256 << 10;

    /// <summary>
    /// A claimed length is believed, and allocated, only so far beyond what is there: by this much, and then by this
    /// factor.
    /// </summary>
    private const int ManifestLengthUnproven = 64 << 10;
    private const int ManifestLengthGrowth = 64;

    /// <summary>
    /// Writes the snapshot in <paramref name="snapshotDirectory"/>; leaves the stream open, and flushes it.
    /// </summary>
    /// <exception cref="SnapshotRejectedException">The directory is not an intact snapshot.</exception>
    public static async Task PackAsync(
        IStorage storage, string snapshotDirectory, Stream destination, CancellationToken cancellationToken = default)
    {
        var writer = PipeWriter.Create(
            destination, new StreamPipeWriterOptions(minimumBufferSize: PieceLength, leaveOpen: true));
        try
        {
            await PackAsync(storage, snapshotDirectory, writer, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            // Gives the pipe's buffer back; what was written is flushed piece by piece before.
            await writer.CompleteAsync().ConfigureAwait(false);
        }
    }

    /// <summary>
    /// Writes the snapshot in <paramref name="snapshotDirectory"/>, checking every table against the manifest on the
    /// way. The caller completes the pipe; on any exception with that exception, as the reader has had a part.
    /// </summary>
    /// <exception cref="SnapshotRejectedException">The directory is not an intact snapshot.</exception>
    public static async Task PackAsync(
        IStorage storage, string snapshotDirectory, PipeWriter destination,
        CancellationToken cancellationToken = default)
    {
        var manifestFile = SnapshotFiles.ReadManifestFile(storage, snapshotDirectory);
        var manifest = SnapshotFiles.DecodeManifest(
            manifestFile, Path.Combine(snapshotDirectory, SnapshotNames.Manifest));
        var pack = new PackDestination(destination);
        await pack.PutAsync(
            PackFormat.EncodeHeader(new PackHeader(manifestFile.Length, manifest.Tables.Length)),
            cancellationToken).ConfigureAwait(false);
        await pack.PutAsync(manifestFile, cancellationToken).ConfigureAwait(false);
        foreach (var (_, table) in manifest.Tables)
        {
            await pack.PutAsync(PackFormat.EncodeFileHeader(table.Length), cancellationToken).ConfigureAwait(false);
            await PackTableAsync(
                storage, Path.Combine(snapshotDirectory, SnapshotNames.Table(table)), table, pack,
                cancellationToken).ConfigureAwait(false);
        }

        await pack.PutAsync(PackFormat.EncodeTrailer(pack.Hash), cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// Reads a packed snapshot to its very end and makes its directory, durable on return. Nothing is written before
    /// the manifest is decoded, nothing but the files that it describes, and the manifest itself last. Leaves the
    /// stream open. On any exception <paramref name="stagingDirectory"/> holds debris for the caller to delete. Returns
    /// the manifest, so that nobody has to read it twice.
    /// </summary>
    /// <param name="storage">The file system.</param>
    /// <param name="source">The packed snapshot.</param>
    /// <param name="sourcePath">Its name in failures.</param>
    /// <param name="stagingDirectory">Where its files go.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    /// <exception cref="SnapshotRejectedException">The stream is not an intact packed snapshot.</exception>
    /// <exception cref="UnsupportedFormatException">It is intact, and another build's.</exception>
    public static async Task<ReadManifest> UnpackAsync(
        IStorage storage, Stream source, string sourcePath, string stagingDirectory,
        CancellationToken cancellationToken = default)
    {
        var reader = PipeReader.Create(
            source,
            new StreamPipeReaderOptions(bufferSize: PieceLength, minimumReadSize: PieceLength / 2, leaveOpen: true));
        try
        {
            return await UnpackAsync(
                storage, new PackSource(reader, sourcePath), stagingDirectory, cancellationToken).ConfigureAwait(false);
        }
        catch (EndOfStreamException ended)
        {
            throw new SnapshotRejectedException(sourcePath, "the packed snapshot ends early", ended);
        }
        finally
        {
            await reader.CompleteAsync().ConfigureAwait(false);
        }
    }

    private static async Task<ReadManifest> UnpackAsync(
        IStorage storage, PackSource pack, string stagingDirectory, CancellationToken cancellationToken)
    {
        if (!PackFormat.TryDecodeHeader(
            await pack.TakeAsync(PackFormat.HeaderSize, cancellationToken).ConfigureAwait(false), out var header,
            out var error))
            throw SnapshotFiles.Rejected(pack.Path, 0, "pack header", error);
        var manifestFile = await TakeManifestAsync(
            pack, header.ManifestLength, cancellationToken).ConfigureAwait(false);
        var manifest = SnapshotFiles.DecodeManifest(manifestFile, pack.Path, PackFormat.HeaderSize);
        if (manifest.Tables.Length != header.FileCount)
            throw new SnapshotRejectedException(
                pack.Path, $"pack has {header.FileCount} files, manifest names {manifest.Tables.Length} tables");

        storage.CreateDirectory(stagingDirectory);
        foreach (var (_, table) in manifest.Tables)
        {
            var at = pack.Position;
            if (!PackFormat.TryDecodeFileHeader(
                await pack.TakeAsync(PackFormat.FileHeaderSize, cancellationToken).ConfigureAwait(false), table.Length,
                out error))
                throw SnapshotFiles.Rejected(pack.Path, at, "file header", error);
            await UnpackTableAsync(
                storage, Path.Combine(stagingDirectory, SnapshotNames.Table(table)), table, pack,
                cancellationToken).ConfigureAwait(false);
        }

        var (hash, end) = (pack.Hash, pack.Position);
        if (!PackFormat.TryDecodeTrailer(
            await pack.TakeAsync(PackFormat.TrailerSize, cancellationToken).ConfigureAwait(false), hash, out error))
            throw SnapshotFiles.Rejected(pack.Path, end, "trailer", error);
        if (!await pack.IsAtEndAsync(cancellationToken).ConfigureAwait(false))
            throw new SnapshotRejectedException(pack.Path, $"bytes after the trailer, at offset {pack.Position}");
        DurableFile.Replace(storage, Path.Combine(stagingDirectory, SnapshotNames.Manifest), manifestFile);
        return new ReadManifest(manifestFile, manifest);
    }

    private static async ValueTask<byte[]> TakeManifestAsync(
        PackSource pack, int length, CancellationToken cancellationToken)
    {
        var file = await pack.TakeAsync(
            Math.Min(length, ManifestLengthUnproven), cancellationToken).ConfigureAwait(false);
        var filled = file.Length;
        while (filled < length)
        {
            Array.Resize(ref file, (int)Math.Min(length, (long)filled * ManifestLengthGrowth));
            await pack.TakeAsync(
                file.Length - filled,
                bytes =>
                {
                    bytes.CopyTo(file.AsSpan(filled));
                    filled += bytes.Length;
                },
                cancellationToken).ConfigureAwait(false);
        }

        return file;
    }

    private static async Task PackTableAsync(
        IStorage storage, string path, TableDescriptor table, PackDestination pack, CancellationToken cancellationToken)
    {
        using var file = SnapshotFiles.OpenPart(storage, path);
        if (file.Length != table.Length)
            throw new SnapshotRejectedException(path, $"table length is {file.Length}, manifest says {table.Length}");
        var hash = new XxHash128();
        for (long offset = 0; offset < table.Length;)
        {
            var piece = pack.Reserve(PieceLength);
            piece = piece[..(int)Math.Min(Math.Min(piece.Length, PieceLength), table.Length - offset)];
            file.Read(offset, piece.Span);
            hash.Append(piece.Span);
            await pack.CommitAsync(piece, piece.Length, cancellationToken).ConfigureAwait(false);
            offset += piece.Length;
        }

        if (hash.GetCurrentHashAsUInt128() is var computed && computed != table.Hash)
            throw new SnapshotRejectedException(path, $"table hash is {computed:x32}, manifest says {table.Hash:x32}");
    }

    private static async Task UnpackTableAsync(
        IStorage storage, string path, TableDescriptor table, PackSource pack, CancellationToken cancellationToken)
    {
        using var file = storage.Open(path, FileIntent.CreateNew);
        var hash = new XxHash128();
        var offset = 0L;
        await pack.TakeAsync(
            table.Length,
            bytes =>
            {
                hash.Append(bytes);
                file.Write(offset, bytes);
                offset += bytes.Length;
            },
            cancellationToken).ConfigureAwait(false);
        if (hash.GetCurrentHashAsUInt128() is var computed && computed != table.Hash)
            throw new SnapshotRejectedException(path, $"table hash is {computed:x32}, manifest says {table.Hash:x32}");
        file.Sync();
    }
}
