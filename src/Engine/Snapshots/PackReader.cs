using System.Diagnostics;
using System.IO.Hashing;
using CommunityToolkit.HighPerformance.Buffers;
using Varve.Contract;
using Varve.Format;
using Varve.Storage;

namespace Varve.Snapshots;

/// <summary>
/// Reads a packed snapshot from front to back: header and manifest, the tables, the trailer (<see cref="PackFormat"/>
/// draws it). An install copies the tables on the way; an inspection skips them and reads them in place. Reads each
/// byte once, in order, so a file that changes meanwhile gives one content or fails. One thread.
/// </summary>
/// <param name="file">The packed snapshot; the caller disposes it.</param>
/// <param name="report">Receives each damage. It may throw, which ends the reading.</param>
internal sealed class PackReader(IStorageFile file, Action<VarveException> report)
{
    private const int PieceLength = 256 << 10;

    private readonly long _length = file.Length;
    private readonly XxHash128 _hash = new();
    private long _position;
    private bool _hasSkipped;

    /// <summary>Offset of the next byte.</summary>
    public long Position => _position;

    /// <summary>
    /// Makes the directory of a packed snapshot, durable on return. Writes nothing before the manifest is decoded,
    /// nothing but the tables that it names, and the manifest last. On any exception the caller deletes the directory.
    /// </summary>
    /// <exception cref="SnapshotRejectedException">The file is not an intact packed snapshot.</exception>
    /// <exception cref="UnsupportedFormatException">The file is intact and of a newer build.</exception>
    public static ManifestFile Unpack(
        IStorage storage, string path, string stagingDirectory, CancellationToken token = default)
    {
        using var file = SnapshotFiles.OpenPart(storage, path);
        var pack = new PackReader(file, static damage => throw SnapshotFiles.Refusal(damage));
        var manifest = pack.ReadManifest() ?? throw new UnreachableException();
        storage.CreateDirectory(stagingDirectory);
        foreach (var (_, table) in manifest.Manifest.Tables)
        {
            pack.TryEnterTable(table);
            pack.CopyTable(storage, Path.Combine(stagingDirectory, SnapshotNames.Table(table)), table, token);
        }

        pack.CheckEnd(verifiesHash: true);
        DurableFile.Replace(storage, Path.Combine(stagingDirectory, SnapshotNames.Manifest), manifest.Bytes);
        return manifest;
    }

    /// <summary>Reads the header and the manifest; null, after a report, if there is no manifest.</summary>
    public ManifestFile? ReadManifest()
    {
        var start = Read((int)Math.Min(_length, PackFormat.HeaderSize));
        if (!PackFormat.TryDecodeHeader(start, out var header, out var error))
        {
            report(DecodeFailure.Of(file.Path, 0, CorruptionKind.PackHeader, error));
            return null;
        }

        // Before the allocation: the length is the file's claim.
        if (header.ManifestLength > _length - _position)
        {
            Report(
                _length, CorruptionKind.PackedSnapshot,
                $"file ends inside its manifest of {header.ManifestLength} bytes");
            return null;
        }

        var bytes = Read(header.ManifestLength);
        if (!SnapshotManifestCodec.TryDecode(bytes, out var manifest, out error))
        {
            report(DecodeFailure.Of(file.Path, PackFormat.HeaderSize, CorruptionKind.SnapshotManifest, error));
            return null;
        }

        if (manifest.Tables.Length != header.FileCount)
            Report(
                PackFormat.FileCountOffset, CorruptionKind.PackHeader,
                $"pack has {header.FileCount} files, manifest names {manifest.Tables.Length} tables");
        return new ManifestFile(bytes, manifest, IsPacked: true);
    }

    /// <summary>
    /// Moves to the first byte of the next table, which the manifest describes; false, after a report, if the file ends
    /// inside it.
    /// </summary>
    public bool TryEnterTable(TableDescriptor table)
    {
        var begin = _position;
        if (_length - begin < PackFormat.FileHeaderSize || _length - begin - PackFormat.FileHeaderSize < table.Length)
        {
            Report(
                _length, CorruptionKind.PackedSnapshot,
                $"file ends at {_length}, inside of {SnapshotNames.Table(table)}, {table.Length} bytes at {begin}");
            return false;
        }

        if (!PackFormat.TryDecodeFileHeader(Read(PackFormat.FileHeaderSize), table.Length, out var error))
            report(DecodeFailure.Of(file.Path, begin, CorruptionKind.PackFileHeader, error));
        return true;
    }

    /// <summary>Skips the table at the position, which the caller reads in place.</summary>
    public void SkipTable(TableDescriptor table)
    {
        _position += table.Length;
        _hasSkipped = true;
    }

    /// <summary>
    /// Reports a length other than that of tables and trailer and, if asked to, a trailer that is not the hash of all
    /// bytes before it. Reads the file again if a table was skipped.
    /// </summary>
    public void CheckEnd(bool verifiesHash)
    {
        var (trailerAt, end) = (_position, _position + PackFormat.TrailerSize);
        if (_length != end)
        {
            Report(
                Math.Min(_length, end), CorruptionKind.PackedSnapshot,
                $"file length is {_length}, tables and trailer end at {end}");
            if (_length < end) return;
        }

        if (!verifiesHash) return;
        var hash = _hasSkipped ? HashUpTo(trailerAt) : _hash.GetCurrentHashAsUInt128();
        if (!PackFormat.TryDecodeTrailer(Read(PackFormat.TrailerSize), hash, out var error))
            report(DecodeFailure.Of(file.Path, trailerAt, CorruptionKind.PackTrailer, error));
    }

    private void CopyTable(IStorage storage, string path, TableDescriptor table, CancellationToken token)
    {
        var begin = _position;
        using var target = storage.Open(path, FileIntent.CreateNew);
        using var buffer = SpanOwner<byte>.Allocate(PieceLength);
        var hash = new XxHash128();
        for (long offset = 0; offset < table.Length;)
        {
            token.ThrowIfCancellationRequested();
            var piece = buffer.Span[..(int)Math.Min(PieceLength, table.Length - offset)];
            Read(piece);
            hash.Append(piece);
            target.Write(offset, piece);
            offset += piece.Length;
        }

        if (hash.GetCurrentHashAsUInt128() is var computed && computed != table.Hash)
            Report(
                begin, CorruptionKind.Table,
                $"hash of {SnapshotNames.Table(table)} is {computed:x32}, manifest says {table.Hash:x32}");
        target.Sync();
    }

    private UInt128 HashUpTo(long end)
    {
        using var buffer = SpanOwner<byte>.Allocate(PieceLength);
        var hash = new XxHash128();
        for (long at = 0; at < end;)
        {
            var piece = buffer.Span[..(int)Math.Min(PieceLength, end - at)];
            file.Read(at, piece);
            hash.Append(piece);
            at += piece.Length;
        }

        return hash.GetCurrentHashAsUInt128();
    }

    private byte[] Read(int length)
    {
        var bytes = GC.AllocateUninitializedArray<byte>(length);
        Read(bytes);
        return bytes;
    }

    private void Read(Span<byte> destination)
    {
        file.Read(_position, destination);
        _hash.Append(destination);
        _position += destination.Length;
    }

    private void Report(long offset, string kind, string problem) =>
        report(CorruptionException.Of(file.Path, offset, kind, problem));
}
