using System.Buffers;
using System.IO.Hashing;
using System.IO.Pipelines;
using Varve.Contract;
using Varve.Format;
using Varve.Storage;

namespace Varve.Snapshots;

/// <summary>
/// Makes a snapshot's directory of a packed stream, as it arrives: the header and the manifest are decoded before the
/// first table is written, each table is verified against the manifest, and the trailer against all bytes before it.
/// One use; one thread at a time.
/// </summary>
internal sealed class PackUnpacker
{
    private const string Source = "the packed snapshot";
    private const int PieceLength = 256 << 10;

    private readonly IStorage _storage;
    private readonly PipeReader _reader;
    private readonly CancellationToken _token;
    private readonly XxHash128 _hash = new();
    private readonly byte[] _piece = GC.AllocateUninitializedArray<byte>(PieceLength);
    private long _position;

    private PackUnpacker(IStorage storage, PipeReader reader, CancellationToken token) =>
        (_storage, _reader, _token) = (storage, reader, token);

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
            await new PackUnpacker(storage, source, cancellationToken).UnpackTo(target.Building, endsWithPack)
                .ConfigureAwait(false);
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

    private async Task UnpackTo(string building, bool endsWithPack)
    {
        var manifest = await ReadManifestAsync().ConfigureAwait(false);
        foreach (var (_, table) in manifest.Manifest.Tables)
        {
            var at = _position;
            var header = await ReadAsync(PackFormat.FileHeaderSize).ConfigureAwait(false);
            if (!PackFormat.TryDecodeFileHeader(header, table.Length, out var error))
                throw Refusal(at, CorruptionKind.PackFileHeader, error);
            await CopyTableAsync(Path.Combine(building, SnapshotNames.Table(table)), table).ConfigureAwait(false);
        }

        var (trailerAt, hash) = (_position, _hash.GetCurrentHashAsUInt128());
        var trailer = await ReadAsync(PackFormat.TrailerSize).ConfigureAwait(false);
        if (!PackFormat.TryDecodeTrailer(trailer, hash, out var mismatch))
            throw Refusal(trailerAt, CorruptionKind.PackTrailer, mismatch);
        if (endsWithPack) await EnsureEndAsync().ConfigureAwait(false);
        DurableFile.Replace(_storage, Path.Combine(building, SnapshotNames.Manifest), manifest.Bytes);
        foreach (var name in _storage.List(building)) _storage.MakeReadOnly(Path.Combine(building, name));
        _storage.SyncDirectory(building);
        _token.ThrowIfCancellationRequested();
    }

    private async Task<ManifestFile> ReadManifestAsync()
    {
        var start = await ReadAsync(PackFormat.HeaderSize).ConfigureAwait(false);
        if (!PackFormat.TryDecodeHeader(start, out var header, out var error))
            throw Refusal(0, CorruptionKind.PackHeader, error);
        if (header.ManifestLength > SnapshotManifestCodec.FileLengthMax)
            throw new SnapshotRejectedException(
                Source, $"manifest of {header.ManifestLength} bytes: the length is out of range");
        var bytes = await ReadAsync(header.ManifestLength).ConfigureAwait(false);
        if (!SnapshotManifestCodec.TryDecode(bytes, out var manifest, out error))
            throw Refusal(PackFormat.HeaderSize, CorruptionKind.SnapshotManifest, error);
        if (manifest.Tables.Length != header.FileCount)
            throw new SnapshotRejectedException(
                Source, $"pack has {header.FileCount} files, manifest names {manifest.Tables.Length} tables");
        return new ManifestFile(bytes, manifest, IsPacked: true);
    }

    private async Task CopyTableAsync(string path, TableDescriptor table)
    {
        using var target = _storage.Open(path, FileIntent.CreateNew);
        var hash = new XxHash128();
        for (long offset = 0; offset < table.Length;)
        {
            var length = (int)Math.Min(PieceLength, table.Length - offset);
            await FillAsync(_piece.AsMemory(0, length)).ConfigureAwait(false);
            hash.Append(_piece.AsSpan(0, length));
            target.Write(offset, _piece.AsSpan(0, length));
            offset += length;
        }

        if (hash.GetCurrentHashAsUInt128() is var computed && computed != table.Hash)
            throw new SnapshotRejectedException(
                Source, $"hash of {SnapshotNames.Table(table)} is {computed:x32}, manifest says {table.Hash:x32}");
        target.Sync();
    }

    private async Task<byte[]> ReadAsync(int length)
    {
        // In pieces: the length may be the stream's claim, and memory is taken as bytes arrive.
        var bytes = new ArrayBufferWriter<byte>(Math.Min(length, PieceLength));
        while (bytes.WrittenCount < length)
        {
            var piece = bytes.GetMemory()[..Math.Min(bytes.FreeCapacity, length - bytes.WrittenCount)];
            await FillAsync(piece).ConfigureAwait(false);
            bytes.Advance(piece.Length);
        }

        return bytes.WrittenSpan.ToArray();
    }

    private async Task FillAsync(Memory<byte> destination)
    {
        var all = destination;
        while (!destination.IsEmpty)
        {
            var result = await _reader.ReadAsync(_token).ConfigureAwait(false);
            var arrived = result.Buffer;
            var taken = arrived.Slice(0, Math.Min(arrived.Length, destination.Length));
            taken.CopyTo(destination.Span);
            destination = destination[(int)taken.Length..];
            _position += taken.Length;
            _reader.AdvanceTo(taken.End);
            if (destination.IsEmpty) break;
            if (result.IsCanceled) throw new OperationCanceledException();
            if (result.IsCompleted)
                throw new SnapshotRejectedException(Source, $"stream ends at {_position}, before its trailer");
        }

        _hash.Append(all.Span);
    }

    private async Task EnsureEndAsync()
    {
        while (true)
        {
            var result = await _reader.ReadAsync(_token).ConfigureAwait(false);
            var follows = !result.Buffer.IsEmpty;
            _reader.AdvanceTo(result.Buffer.Start);
            if (follows)
                throw new SnapshotRejectedException(
                    Source, $"bytes follow the trailer at offset {_position}, where the file has to end");
            if (result.IsCanceled) throw new OperationCanceledException();
            if (result.IsCompleted) return;
        }
    }

    private static VarveException Refusal(long offset, string kind, DecodeError error) =>
        SnapshotFiles.Refusal(DecodeFailure.Of(Source, offset, kind, error));

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
