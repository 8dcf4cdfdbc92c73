using System.Buffers;
using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.IO.Hashing;
using ZstdSharp;
using ZstdSharp.Unsafe;

namespace Varve.Format;

/// <summary>
/// The bytes of a snapshot's manifest file.
/// <code>
///  file
///   0  8    magic        "VARVESNP"
///   8  u32  version      1
///  12  u32  feature bits 0; FormatFeatures
///  16  u64  length       of the payload, decompressed; at most 32 MiB
///  24  u64  checksum     XXH3-64 of bytes 0..23
///  32  one zstd frame that names the same length; nothing after it
///
///  payload
///   0  16   database id  in the order in which it is printed
///  16  a machine state (MachineStateCodec)
///      tables (AddedTableCodec), at most 131,072
/// </code>
/// Tables stand newest run (highest order) first and within a run by key, not overlapping; no two have the same origin
/// number and hash, by which their files are named. All integers are little endian.
/// <para>
/// A manifest comes from elsewhere, so that what it costs to read is bounded whatever it says: file, payload and what
/// is decoded of it take at most <see cref="MemoryMax"/> together. Each is weighed before it is allocated.
/// </para>
/// </summary>
internal static class SnapshotManifestCodec
{
    public const uint Version = 1;
    public const int HeaderSize = 32;
    public const int TablesMax = 131_072;

    /// <summary>The most memory that decoding takes: the file, the payload, and the objects made of it.</summary>
    public const int MemoryMax = 64 << 20;

    /// <summary>Largest payload, in bytes.</summary>
    public const int PayloadLengthMax = MemoryMax / 2;

    /// <summary>Largest file, in bytes: the payload as zstd stores what it cannot compress.</summary>
    public const int FileLengthMax = HeaderSize + PayloadLengthMax + (PayloadLengthMax >> 8) + 64;

    private const int VersionOffset = 8;
    private const int FeaturesOffset = 12;
    private const int LengthOffset = 16;
    private const int ChecksumOffset = 24;
    private const int CompressionLevel = 3;

    private static ReadOnlySpan<byte> Magic => "VARVESNP"u8;

    /// <exception cref="ArgumentException">The manifest breaks one of its own rules, so that no reader would take
    /// it.</exception>
    public static byte[] Encode(SnapshotManifest manifest)
    {
        var payload = EncodePayload(manifest);
        using var compressor = new Compressor(CompressionLevel);
        compressor.SetParameter(ZSTD_cParameter.ZSTD_c_checksumFlag, 1);
        var frame = compressor.Wrap(payload);
        var file = new byte[HeaderSize + frame.Length];
        EncodeHeader(payload.Length).CopyTo(file, 0);
        frame.CopyTo(file.AsSpan(HeaderSize));
        return TryDecode(file, out _, out var error)
            ? file
            : throw new ArgumentException(error.Reason, nameof(manifest));
    }

    public static byte[] EncodeHeader(int payloadLength)
    {
        var header = new byte[HeaderSize];
        Magic.CopyTo(header);
        BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(VersionOffset), Version);
        BinaryPrimitives.WriteUInt64LittleEndian(header.AsSpan(LengthOffset), (ulong)payloadLength);
        BinaryPrimitives.WriteUInt64LittleEndian(
            header.AsSpan(ChecksumOffset), XxHash3.HashToUInt64(header.AsSpan(0, ChecksumOffset)));
        return header;
    }

    public static byte[] EncodePayload(SnapshotManifest manifest)
    {
        if (Fault(manifest) is { } fault) throw new ArgumentException(fault.ToString(), nameof(manifest));
        var buffer = new ArrayBufferWriter<byte>();
        new FieldWriter(buffer).Identifier(manifest.DatabaseId);
        MachineStateCodec.Encode(buffer, manifest.State);
        AddedTableCodec.Encode(buffer, manifest.Tables);
        if (buffer.WrittenCount > PayloadLengthMax)
            throw new ArgumentException("payload would be longer than 32 MiB", nameof(manifest));
        return buffer.WrittenSpan.ToArray();
    }

    public static bool TryDecode(
        ReadOnlySpan<byte> file, [NotNullWhen(true)] out SnapshotManifest? manifest, out DecodeError error)
    {
        manifest = null;
        return TryDecompress(file, out var payload, out error)
            && TryDecodePayload(payload, MemoryMax - (long)file.Length - payload.Length, out manifest, out error);
    }

    public static bool TryDecodePayload(
        ReadOnlySpan<byte> payload, [NotNullWhen(true)] out SnapshotManifest? manifest, out DecodeError error) =>
        TryDecodePayload(payload, MemoryMax - payload.Length, out manifest, out error);

    private static bool TryDecodePayload(
        ReadOnlySpan<byte> payload, long memoryMax, [NotNullWhen(true)] out SnapshotManifest? manifest,
        out DecodeError error)
    {
        manifest = null;
        var reader = new FieldReader(payload) { MemoryMax = memoryMax };
        var databaseId = reader.Identifier("database id");
        var state = MachineStateCodec.Read(ref reader);
        var tables = AddedTableCodec.Read(ref reader, TablesMax);
        reader.End("snapshot manifest");
        if (!reader.Failed)
        {
            manifest = new SnapshotManifest { DatabaseId = databaseId, State = state!, Tables = tables };
            if (Fault(manifest) is { } fault) reader.Fail(0, fault.Field, fault.Problem);
        }

        error = reader.Error;
        if (reader.Failed) manifest = null;
        return manifest is not null;
    }

    /// <summary>
    /// Checks header and frame against each other and the cap, and only then allocates and decompresses.
    /// </summary>
    private static bool TryDecompress(ReadOnlySpan<byte> file, out byte[] payload, out DecodeError error)
    {
        payload = [];
        error = HeaderFault(file);
        if (error.IsFault) return false;
        var length = (int)BinaryPrimitives.ReadUInt64LittleEndian(file[LengthOffset..]);
        var frame = file[HeaderSize..];
        if (!ZstdFrame.TryMeasure(frame, out var frameLength, out var contentLength, out error))
            error = error with { Offset = HeaderSize + error.Offset };
        else if (frameLength != frame.Length)
            error = new DecodeError(HeaderSize + frameLength, "zstd frame", "has bytes after it");
        else if (contentLength != (ulong)length)
            error = new DecodeError(LengthOffset, "length", "is not that of the zstd frame");
        else if (file.Length + (long)length > MemoryMax)
            error = new DecodeError(LengthOffset, "file and payload", "take more than 64 MiB");
        if (error.IsFault) return false;

        payload = GC.AllocateUninitializedArray<byte>(length);
        try
        {
            using var decompressor = new Decompressor();
            if (decompressor.Unwrap(frame, payload) == payload.Length) return true;
        }
        catch (ZstdException)
        {
            // Falls through: hostile bytes are an ordinary answer here.
        }

        error = new DecodeError(HeaderSize, "zstd frame", "does not decompress to its length");
        return false;
    }

    private static DecodeError HeaderFault(ReadOnlySpan<byte> file)
    {
        if (file.Length < HeaderSize) return new DecodeError(file.Length, "snapshot manifest header", "is cut off");
        if (!file.StartsWith(Magic)) return new DecodeError(0, "file", "is not a snapshot manifest");
        var (stored, computed) = (BinaryPrimitives.ReadUInt64LittleEndian(file[ChecksumOffset..]), XxHash3.HashToUInt64(
            file[..ChecksumOffset]));
        if (stored != computed) return DecodeError.Checksum(ChecksumOffset, stored, computed);
        var version = BinaryPrimitives.ReadUInt32LittleEndian(file[VersionOffset..]);
        var features = BinaryPrimitives.ReadUInt32LittleEndian(file[FeaturesOffset..]);
        if (!FormatFeatures.AreKnown(
            "snapshot manifest", (version, VersionOffset), Version, (features, FeaturesOffset), out var error))
            return error;
        return BinaryPrimitives.ReadUInt64LittleEndian(file[LengthOffset..]) > PayloadLengthMax
            ? new DecodeError(LengthOffset, "payload", "is longer than 32 MiB")
            : default;
    }

    /// <summary>The first rule that the manifest breaks, or null.</summary>
    private static FieldFault? Fault(SnapshotManifest manifest)
    {
        if (manifest.Tables.Length > TablesMax) return new("table count", "is more than 131,072");
        if (NamesATwin(manifest.Tables)) return new("table", "is named twice");
        for (var i = 1; i < manifest.Tables.Length; i++)
        {
            var (order, table) = manifest.Tables[i];
            var (orderBefore, before) = manifest.Tables[i - 1];
            if (order > orderBefore) return new("runs", "are not newest first");
            if (order == orderBefore && !TableDescriptor.MayEndBefore(before.LargestKey, table.SmallestKey))
                return new("tables of a run", "overlap or are out of order");
        }

        return null;
    }

    private static bool NamesATwin(AddedTable[] tables)
    {
        // Sorted by reference: a set would take more memory than the tables.
        var byName = new TableDescriptor[tables.Length];
        for (var i = 0; i < tables.Length; i++) byName[i] = tables[i].Table;
        Array.Sort(byName, static (a, b) =>
            a.OriginNumber != b.OriginNumber ? a.OriginNumber.CompareTo(b.OriginNumber) : a.Hash.CompareTo(b.Hash));
        for (var i = 1; i < byName.Length; i++)
            if (byName[i].OriginNumber == byName[i - 1].OriginNumber && byName[i].Hash == byName[i - 1].Hash)
                return true;
        return false;
    }
}
