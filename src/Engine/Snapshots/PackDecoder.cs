using System.IO.Hashing;
using Varve.Contract;
using Varve.Format;

namespace Varve.Snapshots;

/// <summary>
/// Decodes a packed snapshot (<see cref="PackFormat"/> draws it) part by part, from front to back, and compares it with
/// its manifest and its trailer. The caller reads the parts, from a file or a pipe, and passes all bytes to
/// <see cref="Append"/> in their order. One thread at a time.
/// </summary>
/// <param name="path">Path of the file, or what to call the stream.</param>
/// <param name="length">Length of the file; null for a stream, whose length is known at its end.</param>
/// <param name="report">Receives each damage. It may throw, which ends the reading.</param>
internal sealed class PackDecoder(string path, long? length, Action<VarveException> report)
{
    private readonly XxHash128 _hash = new();

    /// <summary>Offset of the next byte.</summary>
    public long Position { get; private set; }

    /// <summary>Hash of all bytes so far, unless some were skipped.</summary>
    public UInt128 Hash => _hash.GetCurrentHashAsUInt128();

    /// <summary>Bytes to read for <see cref="DecodeHeader"/>: all of a file that is shorter than a header.</summary>
    public int HeaderLength => (int)Math.Min(length ?? PackFormat.HeaderSize, PackFormat.HeaderSize);

    /// <summary>Takes the next bytes of the pack into its hash.</summary>
    public void Append(ReadOnlySpan<byte> bytes)
    {
        _hash.Append(bytes);
        Position += bytes.Length;
    }

    /// <summary>Moves over bytes that nobody reads.</summary>
    public void Skip(long bytes) => Position += bytes;

    /// <summary>Decodes the header; null, after a report, if it is damaged.</summary>
    public PackHeader? DecodeHeader(ReadOnlySpan<byte> bytes)
    {
        if (!PackFormat.TryDecodeHeader(bytes, out var header, out var error))
        {
            report(DecodeFailure.Of(path, 0, CorruptionKind.PackHeader, error));
            return null;
        }

        // Before the allocation: the length is the file's claim.
        if (header.ManifestLength <= (length ?? long.MaxValue) - Position) return header;
        Report(
            length!.Value, CorruptionKind.PackedSnapshot,
            $"file ends inside its manifest of {header.ManifestLength} bytes");
        return null;
    }

    /// <summary>Decodes the manifest; null, after a report, if it is damaged.</summary>
    public ManifestFile? DecodeManifest(byte[] bytes, PackHeader header)
    {
        if (!SnapshotManifestCodec.TryDecode(bytes, out var manifest, out var error))
        {
            report(DecodeFailure.Of(path, PackFormat.HeaderSize, CorruptionKind.SnapshotManifest, error));
            return null;
        }

        if (manifest.Tables.Length != header.FileCount)
            Report(
                PackFormat.FileCountOffset, CorruptionKind.PackHeader,
                $"pack has {header.FileCount} files, manifest names {manifest.Tables.Length} tables");
        return new ManifestFile(bytes, manifest, IsPacked: true);
    }

    /// <summary>False, after a report, if the file ends inside the next table.</summary>
    public bool HasRoom(TableDescriptor table)
    {
        var room = (length ?? long.MaxValue) - Position;
        if (room >= PackFormat.FileHeaderSize && room - PackFormat.FileHeaderSize >= table.Length) return true;
        Report(
            length!.Value, CorruptionKind.PackedSnapshot,
            $"file ends at {length}, inside of {SnapshotNames.Table(table)}, {table.Length} bytes at {Position}");
        return false;
    }

    /// <summary>Checks the header in front of a table, the bytes before the position.</summary>
    public void CheckFileHeader(ReadOnlySpan<byte> bytes, TableDescriptor table)
    {
        if (!PackFormat.TryDecodeFileHeader(bytes, table.Length, out var error))
            report(DecodeFailure.Of(path, Position - bytes.Length, CorruptionKind.PackFileHeader, error));
    }

    /// <summary>Checks the hash of a table, which ends at the position.</summary>
    public void CheckTable(TableDescriptor table, UInt128 computed)
    {
        if (computed != table.Hash)
            Report(
                Position - table.Length, CorruptionKind.Table,
                $"hash of {SnapshotNames.Table(table)} is {computed:x32}, manifest says {table.Hash:x32}");
    }

    /// <summary>
    /// Reports a file that does not end behind the trailer, which begins at the position. False if it ends before.
    /// </summary>
    public bool CheckLength()
    {
        var end = Position + PackFormat.TrailerSize;
        if (length is not { } actual || actual == end) return true;
        if (actual > end) ReportBytesBehind(end);
        else
            Report(
                actual, CorruptionKind.PackedSnapshot, $"file length is {actual}, tables and trailer end at {end}");
        return actual > end;
    }

    /// <summary>Reports that the pack ends at an offset, and its file or stream does not.</summary>
    public void ReportBytesBehind(long end) =>
        Report(end, CorruptionKind.PackedSnapshot, $"bytes follow the trailer, which ends at {end}");

    /// <summary>Compares the trailer, the bytes before the position, with the hash of all bytes before it.</summary>
    public void CheckTrailer(ReadOnlySpan<byte> bytes, UInt128 hash)
    {
        if (!PackFormat.TryDecodeTrailer(bytes, hash, out var error))
            report(DecodeFailure.Of(path, Position - bytes.Length, CorruptionKind.PackTrailer, error));
    }

    /// <summary>Reports a stream that ends so many bytes behind the position.</summary>
    public void ReportEnd(int behind) => Report(
        Position + behind, CorruptionKind.PackedSnapshot,
        $"stream ends at {Position + behind}, before its trailer");

    private void Report(long offset, string kind, string problem) =>
        report(CorruptionException.Of(path, offset, kind, problem));
}
