using System.IO.Hashing;
using CommunityToolkit.HighPerformance.Buffers;
using Varve.Format;
using Varve.Storage;

namespace Varve.Snapshots;

/// <summary>
/// Inspects a packed snapshot from front to back: header and manifest, the tables, which it skips and the caller reads
/// in place, the trailer (<see cref="PackFormat"/> draws it). One thread.
/// </summary>
/// <param name="file">The packed snapshot; the caller disposes it.</param>
/// <param name="report">Receives each damage. It may throw, which ends the reading.</param>
internal sealed class PackReader(IStorageFile file, Action<VarveException> report)
{
    private const int PieceLength = 256 << 10;

    private readonly PackDecoder _decoder = new(file.Path, file.Length, report);
    private bool _hasSkipped;

    /// <summary>Offset of the next byte.</summary>
    public long Position => _decoder.Position;

    /// <summary>Reads the header and the manifest; null, after a report, if there is no manifest.</summary>
    public ManifestFile? ReadManifest() =>
        _decoder.DecodeHeader(Read(_decoder.HeaderLength)) is { } header
            ? _decoder.DecodeManifest(Read(header.ManifestLength), header)
            : null;

    /// <summary>
    /// Moves to the first byte of the next table, which the manifest describes; false, after a report, if the file ends
    /// inside it.
    /// </summary>
    public bool TryEnterTable(TableDescriptor table)
    {
        if (!_decoder.HasRoom(table)) return false;
        _decoder.CheckFileHeader(Read(PackFormat.FileHeaderSize), table);
        return true;
    }

    /// <summary>Skips the table at the position, which the caller reads in place.</summary>
    public void SkipTable(TableDescriptor table)
    {
        _decoder.Skip(table.Length);
        _hasSkipped = true;
    }

    /// <summary>
    /// Reports a length other than that of tables and trailer and, if asked to, a trailer that is not the hash of all
    /// bytes before it. Reads the file again if a table was skipped.
    /// </summary>
    public void CheckEnd(bool verifiesHash)
    {
        if (!_decoder.CheckLength() || !verifiesHash) return;
        var hash = _hasSkipped ? HashUpTo(Position) : _decoder.Hash;
        _decoder.CheckTrailer(Read(PackFormat.TrailerSize), hash);
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
        file.Read(Position, bytes);
        _decoder.Append(bytes);
        return bytes;
    }
}
