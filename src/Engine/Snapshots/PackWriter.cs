using System.IO.Hashing;
using System.IO.Pipelines;
using Varve.Format;
using Varve.Storage;

namespace Varve.Snapshots;

/// <summary>
/// Writes a snapshot's directory as one stream (<see cref="PackFormat"/> draws it), which <see cref="PackUnpacker"/>
/// reads. Memory is the manifest and one buffer of the pipe, which sets the pace. One use; one thread at a time.
/// </summary>
internal sealed class PackWriter
{
    private const int PieceLength = 256 << 10;

    private readonly PipeWriter _pipe;
    private readonly XxHash128 _hash = new();

    private PackWriter(PipeWriter pipe) => _pipe = pipe;

    /// <summary>Packs a snapshot's directory; leaves the stream open, and flushes it.</summary>
    /// <exception cref="SnapshotRejectedException">The directory is not an intact snapshot.</exception>
    /// <exception cref="UnsupportedFormatException">The manifest is intact and of a newer build.</exception>
    public static async Task PackAsync(
        IStorage storage, string snapshotDirectory, Stream destination, CancellationToken cancellationToken = default)
    {
        var pipe = PipeWriter.Create(
            destination, new StreamPipeWriterOptions(minimumBufferSize: PieceLength, leaveOpen: true));
        try
        {
            await PackAsync(storage, snapshotDirectory, pipe, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            // Returns the pipe's buffer; each piece has been flushed before.
            await pipe.CompleteAsync().ConfigureAwait(false);
        }
    }

    /// <summary>Packs a snapshot's directory; does not complete the pipe.</summary>
    public static Task PackAsync(
        IStorage storage, string snapshotDirectory, PipeWriter destination, CancellationToken cancellationToken) =>
        new PackWriter(destination).PackAsync(storage, snapshotDirectory, cancellationToken);

    /// <summary>Verifies every table against the manifest on the way.</summary>
    private async Task PackAsync(IStorage storage, string snapshotDirectory, CancellationToken cancellationToken)
    {
        var (bytes, manifest, _) = SnapshotFiles.ReadDirectory(storage, snapshotDirectory);
        var header = new PackHeader(bytes.Length, manifest.Tables.Length);
        await WriteAsync(PackFormat.EncodeHeader(header), cancellationToken).ConfigureAwait(false);
        await WriteAsync(bytes, cancellationToken).ConfigureAwait(false);
        foreach (var (_, table) in manifest.Tables)
        {
            await WriteAsync(PackFormat.EncodeFileHeader(table.Length), cancellationToken).ConfigureAwait(false);
            await WriteTableAsync(
                storage, Path.Combine(snapshotDirectory, SnapshotNames.Table(table)), table,
                cancellationToken).ConfigureAwait(false);
        }

        var trailer = PackFormat.EncodeTrailer(_hash.GetCurrentHashAsUInt128());
        await WriteAsync(trailer, cancellationToken, isLast: true).ConfigureAwait(false);
    }

    private async Task WriteTableAsync(
        IStorage storage, string path, TableDescriptor table, CancellationToken cancellationToken)
    {
        using var file = SnapshotFiles.OpenPart(storage, path);
        if (file.Length != table.Length)
            throw new SnapshotRejectedException(path, $"table length is {file.Length}, manifest says {table.Length}");
        var hash = new XxHash128();
        for (long offset = 0; offset < table.Length;)
        {
            // The pipe's own memory: no copy on the way.
            var piece = _pipe.GetMemory(PieceLength);
            piece = piece[..(int)Math.Min(Math.Min(piece.Length, PieceLength), table.Length - offset)];
            file.Read(offset, piece.Span);
            hash.Append(piece.Span);
            await CommitAsync(piece, cancellationToken).ConfigureAwait(false);
            offset += piece.Length;
        }

        if (hash.GetCurrentHashAsUInt128() is var computed && computed != table.Hash)
            throw new SnapshotRejectedException(path, $"table hash is {computed:x32}, manifest says {table.Hash:x32}");
    }

    private async ValueTask WriteAsync(
        ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken, bool isLast = false)
    {
        while (!bytes.IsEmpty)
        {
            var piece = _pipe.GetMemory(1);
            piece = piece[..Math.Min(bytes.Length, piece.Length)];
            bytes[..piece.Length].CopyTo(piece);
            bytes = bytes[piece.Length..];
            await CommitAsync(piece, cancellationToken, isLast && bytes.IsEmpty).ConfigureAwait(false);
        }
    }

    /// <summary>
    /// Sends what the caller has filled of the pipe's memory. A receiver may stop reading once it has the last piece.
    /// </summary>
    private async ValueTask CommitAsync(
        ReadOnlyMemory<byte> piece, CancellationToken cancellationToken, bool isLast = false)
    {
        _hash.Append(piece.Span);
        _pipe.Advance(piece.Length);
        var result = await _pipe.FlushAsync(cancellationToken).ConfigureAwait(false);
        if (result.IsCanceled) throw new OperationCanceledException();
        if (result.IsCompleted && !isLast)
            throw new IOException("The receiver of the packed snapshot stopped reading.");
    }
}
