using System.Buffers.Binary;
using System.IO.Hashing;

namespace Varve.Format;

/// <summary>
/// The end of a table file: the table's identity and the places of its regions. The data region begins at 0 and has no
/// checksum here, its blocks have their own; every other region begins at the first multiple of 64 that is not before
/// the end of the one before it, and the footer begins likewise.
/// <code>
///   0  u8[16]  origin: the database that wrote the file
///  16  u64     origin number: the file's number there
///  24  u64     length of the data region
///  32  u8      compression, 0: none
///  33  0 ..36
///  36  u32     feature bits, 0 (FormatFeatures)
///  40  leases, filter, index, properties, each:  u64 offset, u64 length, u64 checksum
/// 136  u64     hash seed: what the key hashes in filter and tags are made with
/// 144  u32     format version, 1
/// 148  u32     footer length, 168
/// 152  u64     XXH3-64 of the footer up to here
/// 160  u8[8]   "VarveTab"
/// </code>
/// The last 24 bytes keep their place in every format version, so that an unknown version is told from damage.
/// </summary>
internal sealed record TableFooter
{
    public const int Bytes = MagicOffset + sizeof(ulong);

    public const uint FormatVersion = 1;

    /// <summary>Offset of the hash seed in the footer.</summary>
    public const int SeedOffset = RegionsOffset + (4 * RegionBytes);

    private const int OriginNumberOffset = 16;
    private const int DataLengthOffset = OriginNumberOffset + sizeof(ulong);
    private const int CompressionOffset = DataLengthOffset + sizeof(long);
    private const int FeaturesOffset = CompressionOffset + sizeof(uint);
    private const int RegionsOffset = FeaturesOffset + sizeof(uint);
    private const int RegionLengthField = sizeof(long);
    private const int RegionChecksumField = RegionLengthField + sizeof(long);
    private const int RegionBytes = RegionChecksumField + sizeof(ulong);
    private const int VersionOffset = SeedOffset + sizeof(ulong);
    private const int LengthOffset = VersionOffset + sizeof(uint);
    private const int ChecksumOffset = LengthOffset + sizeof(uint);
    private const int MagicOffset = ChecksumOffset + sizeof(ulong);

    /// <summary>Bytes from the version on, whose places count from the footer's end.</summary>
    private const int TailBytes = Bytes - VersionOffset;

    /// <summary>Bytes from the checksum on, likewise.</summary>
    private const int ChecksumBytes = Bytes - ChecksumOffset;
    private const ulong Magic = 0x6261_5465_7672_6156; // "VarveTab"

    public required Guid Origin { get; init; }

    public required ulong OriginNumber { get; init; }

    public required long DataLength { get; init; }

    public required TableRegion Leases { get; init; }

    public required TableRegion Filter { get; init; }

    public required TableRegion Index { get; init; }

    public required TableRegion Properties { get; init; }

    /// <summary>The seed of the key hashes in filter and tags (<see cref="KeyHasher"/>).</summary>
    public required ulong HashSeed { get; init; }

    /// <summary>Offset of the footer in the file: after the properties.</summary>
    public long Offset => Align(Properties.End);

    public static long Align(long offset) => offset + TableRegion.Alignment - 1 & -TableRegion.Alignment;

    /// <summary>Writes <see cref="Bytes"/> bytes.</summary>
    public void Encode(Span<byte> destination)
    {
        destination = destination[..Bytes];
        destination.Clear();
        Origin.TryWriteBytes(destination, bigEndian: true, out _);
        BinaryPrimitives.WriteUInt64LittleEndian(destination[OriginNumberOffset..], OriginNumber);
        BinaryPrimitives.WriteInt64LittleEndian(destination[DataLengthOffset..], DataLength);
        WriteRegion(destination, 0, Leases);
        WriteRegion(destination, 1, Filter);
        WriteRegion(destination, 2, Index);
        WriteRegion(destination, 3, Properties);
        BinaryPrimitives.WriteUInt64LittleEndian(destination[SeedOffset..], HashSeed);
        BinaryPrimitives.WriteUInt32LittleEndian(destination[VersionOffset..], FormatVersion);
        BinaryPrimitives.WriteUInt32LittleEndian(destination[LengthOffset..], Bytes);
        BinaryPrimitives.WriteUInt64LittleEndian(
            destination[ChecksumOffset..], XxHash3.HashToUInt64(destination[..ChecksumOffset]));
        BinaryPrimitives.WriteUInt64LittleEndian(destination[MagicOffset..], Magic);
    }

    /// <summary>
    /// Reads the footer from the last bytes of a file (<see cref="Bytes"/> or more, where the file has them).
    /// </summary>
    public static bool TryDecode(
        ReadOnlySpan<byte> end, long fileLength, out TableFooter? footer, out DecodeError error)
    {
        footer = null;
        if (end.Length < TailBytes || BinaryPrimitives.ReadUInt64LittleEndian(end[^(Bytes - MagicOffset)..]) != Magic)
            return Fail(
                Math.Max(0, end.Length - (Bytes - MagicOffset)), "file",
                "does not end with a table's magic", out error);
        var length = BinaryPrimitives.ReadUInt32LittleEndian(end[^(Bytes - LengthOffset)..]);
        if (length < TailBytes || length > end.Length)
            return Fail(end.Length - (Bytes - LengthOffset), "footer length", "is out of range", out error);
        var source = end[^(int)length..];
        var begin = end.Length - (int)length;
        (ulong stored, ulong computed) =
            (BinaryPrimitives.ReadUInt64LittleEndian(source[^ChecksumBytes..]),
                XxHash3.HashToUInt64(source[..^ChecksumBytes]));
        if (stored != computed)
        {
            error = DecodeError.Checksum(end.Length - ChecksumBytes, stored, computed);
            return false;
        }
        // Only this version's layout is known, so its version and length are looked at before anything that has a place
        // in it.
        var version = BinaryPrimitives.ReadUInt32LittleEndian(source[^TailBytes..]);
        if (version == FormatVersion && length != Bytes)
            return Unsupported(
                end.Length - (Bytes - LengthOffset), $"table footer of {length} bytes (this build reads {Bytes})",
                out error);
        var features = version == FormatVersion ? BinaryPrimitives.ReadUInt32LittleEndian(source[FeaturesOffset..]) : 0;
        if (!FormatFeatures.AreKnown(
            "table", (version, end.Length - TailBytes), FormatVersion, (features, begin + FeaturesOffset), out error))
            return false;
        if (source[CompressionOffset..FeaturesOffset].ContainsAnyExcept((byte)0))
            return Unsupported(
                begin + CompressionOffset, $"table with compression {source[CompressionOffset]}", out error);
        return TryDecodeRegions(source, begin, fileLength, out footer, out error);
    }

    private static bool TryDecodeRegions(
        ReadOnlySpan<byte> source, int begin, long fileLength, out TableFooter? footer, out DecodeError error)
    {
        footer = null;
        var dataLength = BinaryPrimitives.ReadInt64LittleEndian(source[DataLengthOffset..]);
        if (dataLength <= 0 || dataLength > fileLength || dataLength % TableRegion.Alignment != 0)
            return Fail(begin + DataLengthOffset, "data region", "runs past the file", out error);
        Span<TableRegion> regions = stackalloc TableRegion[4];
        var at = dataLength;
        for (var i = 0; i < regions.Length; i++)
        {
            var field = source[(RegionsOffset + i * RegionBytes)..];
            var region = new TableRegion(
                BinaryPrimitives.ReadInt64LittleEndian(field),
                BinaryPrimitives.ReadInt64LittleEndian(field[RegionLengthField..]),
                BinaryPrimitives.ReadUInt64LittleEndian(field[RegionChecksumField..]));
            if (region.Offset != Align(at) || region.Length < 0 || region.Length > TableRegion.LengthMax
                || region.End > fileLength)
                return Fail(
                    begin + RegionsOffset + i * RegionBytes, "region", "does not follow the one before it", out error);
            regions[i] = region;
            at = region.End;
        }
        if (Align(at) + Bytes != fileLength) return Fail(begin, "regions", "do not end before the footer", out error);
        footer = new TableFooter
        {
            Origin = new Guid(source[..16], bigEndian: true),
            OriginNumber = BinaryPrimitives.ReadUInt64LittleEndian(source[OriginNumberOffset..]),
            DataLength = dataLength,
            Leases = regions[0],
            Filter = regions[1],
            Index = regions[2],
            Properties = regions[3],
            HashSeed = BinaryPrimitives.ReadUInt64LittleEndian(source[SeedOffset..]),
        };
        error = default;
        return true;
    }

    private static bool Unsupported(long offset, string met, out DecodeError error)
    {
        error = DecodeError.Unsupported(offset, met);
        return false;
    }

    private static void WriteRegion(Span<byte> footer, int number, TableRegion region)
    {
        var field = footer[(RegionsOffset + number * RegionBytes)..];
        BinaryPrimitives.WriteInt64LittleEndian(field, region.Offset);
        BinaryPrimitives.WriteInt64LittleEndian(field[RegionLengthField..], region.Length);
        BinaryPrimitives.WriteUInt64LittleEndian(field[RegionChecksumField..], region.Checksum);
    }

    private static bool Fail(long offset, string field, string problem, out DecodeError error)
    {
        error = new DecodeError(offset, field, problem);
        return false;
    }
}
