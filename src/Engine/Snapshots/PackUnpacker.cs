using System.Buffers;
using System.IO.Hashing;
using System.IO.Pipelines;
using CommunityToolkit.HighPerformance.Buffers;
using Varve.Format;
using Varve.Storage;

namespace Varve.Snapshots;

/// <summary>
/// Makes a snapshot's directory of a packed file, or of a stream as it arrives: the header and the manifest are decoded
/// before the first table is written, each table is verified against the manifest, and the trailer against all bytes
/// before it. Reads each byte once, in order, so a file that changes meanwhile gives one content or fails. One use; one
/// thread at a time.
/// </summary>
internal sealed class PackUnpacker
{
    private const string StreamName = "the packed snapshot";
    private const int PieceLength = 256 << 10;

    private readonly IStorage _storage;
    private readonly PackDecoder _decoder;
    private readonly Func<Memory<byte>, ValueTask> _fill;
    private readonly bool _hasLength;

    /// <param name="storage">Where the directory is.</param>
    /// <param name="source">Path of the file, or what to call the stream.</param>
    /// <param name="length">Length of the file; null for a stream.</param>
    /// <param name="fill">Reads as many next bytes as there is room.</param>
    private PackUnpacker(
        IStorage storage, string source, long? length, Func<PackDecoder, Func<Memory<byte>, ValueTask>> fill)
    {
        _storage = storage;
        _hasLength = length is not null;
        _decoder = new PackDecoder(source, length, static damage => throw SnapshotFiles.Refusal(damage));
        _fill = fill(_decoder);
    }

    /// <summary>
    /// Makes the directory of a packed file, durable on return. Writes nothing before the manifest is decoded, nothing
    /// but the tables that it names, and the manifest last. On any exception the caller deletes the directory.
    /// </summary>
    /// <exception cref="SnapshotRejectedException">The file is not an intact packed snapshot.</exception>
    /// <exception cref="UnsupportedFormatException">The file is intact and of a newer build.</exception>
    public static ManifestFile Unpack(
        IStorage storage, string path, string directory, CancellationToken token = default)
    {
        using var file = SnapshotFiles.OpenPart(storage, path);
        var unpacker = new PackUnpacker(storage, file.Path, file.Length, decoder => bytes =>
        {
            token.ThrowIfCancellationRequested();
            file.Read(decoder.Position, bytes.Span);
            return ValueTask.CompletedTask;
        });
        // Completed on return: a file is never waited for.
        return unpacker.UnpackTo(directory).GetAwaiter().GetResult();
    }

    /// <inheritdoc cref="SnapshotPack.UnpackAsync"/>
    /// <param name="storage">Where the directory is made.</param>
    /// <param name="source">The stream.</param>
    /// <param name="directory">The directory to make.</param>
    /// <param name="endsWithPack">True if nothing may follow the pack in the stream, as in a file.</param>
    /// <param name="cancellationToken">Ends the call between two pieces.</param>
    public static async Task UnpackAsync(
        IStorage storage, PipeReader source, string directory, bool endsWithPack, CancellationToken cancellationToken)
    {
        var target = SnapshotTarget.Begin(storage, directory);
        try
        {
            await UnpackStreamAsync(storage, source, target.Building, endsWithPack, cancellationToken)
                .ConfigureAwait(false);
            foreach (var name in storage.List(target.Building))
                storage.MakeReadOnly(Path.Combine(target.Building, name));
            storage.SyncDirectory(target.Building);
            cancellationToken.ThrowIfCancellationRequested();
            target.Publish();
        }
        catch (IOException e) when (target.IsTaken)
        {
            Delete(target);
            throw new IOException($"{directory}: another snapshot was published here meanwhile", e);
        }
        catch
        {
            Delete(target);
            throw;
        }
    }

    /// <summary>
    /// Makes the files of a streamed pack, as <see cref="Unpack"/> does. On any exception the caller deletes the
    /// directory.
    /// </summary>
    internal static async Task UnpackStreamAsync(
        IStorage storage, PipeReader source, string directory, bool endsWithPack, CancellationToken cancellationToken)
    {
        var unpacker = new PackUnpacker(
            storage, StreamName, length: null,
            decoder => bytes => FillAsync(source, decoder, bytes, cancellationToken));
        await unpacker.UnpackTo(directory).ConfigureAwait(false);
        if (endsWithPack) await unpacker.EnsureEndAsync(source, cancellationToken).ConfigureAwait(false);
    }

    private async Task<ManifestFile> UnpackTo(string directory)
    {
        // The report throws, so nothing is null.
        var header = _decoder.DecodeHeader(await ReadAsync(_decoder.HeaderLength).ConfigureAwait(false))!.Value;
        var bytes = await ReadAsync(header.ManifestLength).ConfigureAwait(false);
        var manifest = _decoder.DecodeManifest(bytes, header)!;
        _storage.CreateDirectory(directory);
        using var piece = MemoryOwner<byte>.Allocate(PieceLength);
        foreach (var (_, table) in manifest.Manifest.Tables)
        {
            _decoder.HasRoom(table);
            _decoder.CheckFileHeader(await ReadAsync(PackFormat.FileHeaderSize).ConfigureAwait(false), table);
            await CopyTableAsync(Path.Combine(directory, SnapshotNames.Table(table)), table, piece.Memory)
                .ConfigureAwait(false);
        }

        _decoder.CheckLength();
        var hash = _decoder.Hash;
        _decoder.CheckTrailer(await ReadAsync(PackFormat.TrailerSize).ConfigureAwait(false), hash);
        DurableFile.Replace(_storage, Path.Combine(directory, SnapshotNames.Manifest), manifest.Bytes);
        return manifest;
    }

    private async Task CopyTableAsync(string path, TableDescriptor table, Memory<byte> buffer)
    {
        using var target = _storage.Open(path, FileIntent.CreateNew);
        var hash = new XxHash128();
        for (long offset = 0; offset < table.Length;)
        {
            var piece = buffer[..(int)Math.Min(buffer.Length, table.Length - offset)];
            await FillAsync(piece).ConfigureAwait(false);
            hash.Append(piece.Span);
            target.Write(offset, piece.Span);
            offset += piece.Length;
        }

        _decoder.CheckTable(table, hash.GetCurrentHashAsUInt128());
        target.Sync();
    }

    private async Task<byte[]> ReadAsync(int length)
    {
        if (_hasLength || length <= PieceLength)
        {
            var whole = GC.AllocateUninitializedArray<byte>(length);
            await FillAsync(whole).ConfigureAwait(false);
            return whole;
        }

        // In pieces: the length is the stream's claim, and memory is taken as bytes arrive.
        var bytes = new ArrayBufferWriter<byte>(PieceLength);
        while (bytes.WrittenCount < length)
        {
            var piece = bytes.GetMemory()[..Math.Min(bytes.FreeCapacity, length - bytes.WrittenCount)];
            await FillAsync(piece).ConfigureAwait(false);
            bytes.Advance(piece.Length);
        }

        return bytes.WrittenSpan.ToArray();
    }

    private async ValueTask FillAsync(Memory<byte> destination)
    {
        await _fill(destination).ConfigureAwait(false);
        _decoder.Append(destination.Span);
    }

    private static async ValueTask FillAsync(
        PipeReader source, PackDecoder decoder, Memory<byte> destination, CancellationToken token)
    {
        var missing = destination.Length;
        while (missing > 0)
        {
            var result = await source.ReadAsync(token).ConfigureAwait(false);
            var taken = result.Buffer.Slice(0, Math.Min(result.Buffer.Length, missing));
            taken.CopyTo(destination.Span[^missing..]);
            missing -= (int)taken.Length;
            source.AdvanceTo(taken.End);
            if (missing == 0) return;
            if (result.IsCanceled) throw new OperationCanceledException();
            if (result.IsCompleted) decoder.ReportEnd(destination.Length - missing);
        }
    }

    private async Task EnsureEndAsync(PipeReader source, CancellationToken token)
    {
        while (true)
        {
            var result = await source.ReadAsync(token).ConfigureAwait(false);
            var follows = !result.Buffer.IsEmpty;
            source.AdvanceTo(result.Buffer.Start);
            if (follows) _decoder.ReportBytesBehind(_decoder.Position);
            if (result.IsCanceled) throw new OperationCanceledException();
            if (result.IsCompleted) return;
        }
    }

    private static void Delete(SnapshotTarget target)
    {
        try
        {
            target.Delete();
        }
        catch (IOException)
        {
            // The caller reports the first failure. The next snapshot of this name deletes the rest.
        }
    }
}
