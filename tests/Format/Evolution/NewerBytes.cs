using System.Buffers.Binary;
using System.IO.Hashing;
using Varve.Format;

namespace Varve.Tests.Format.Evolution;

/// <summary>
/// Intact bytes that say something which this build does not know, as a newer build may write them: one for each place
/// where such a thing may stand, its checksum right. Golden files hold them, and the fuzzer begins with them.
/// </summary>
/// <param name="Structure">What the bytes are: the name of its fuzz target.</param>
/// <param name="Place">What is unknown.</param>
/// <param name="Bytes">All of them.</param>
/// <param name="At">Where in the bytes it stands.</param>
/// <param name="Offset">The place that the refusal names.</param>
/// <param name="Met">What the refusal says that it met.</param>
internal sealed record NewerBytes(string Structure, string Place, byte[] Bytes, int At, long Offset, string Met)
{
    /// <summary>Of records and blocks.</summary>
    public const ulong Salt = 0x5EED_5A17;

    /// <summary>The offset of a record in its segment, and of a block in its file.</summary>
    public const long Begin = WalSegmentHeader.Size;

    private static readonly Guid Database = new("00112233-4455-6677-8899-aabbccddeeff");

    private static readonly TableDescriptor Table = new()
    {
        Origin = Database,
        OriginNumber = 7,
        Number = 9,
        Length = 4096,
        Hash = 1,
        RowCount = 2,
        TombstoneCount = 0,
        LeaseCount = 0,
        SmallestKey = "apple"u8.ToArray(),
        LargestKey = "pear"u8.ToArray(),
    };

    public static IReadOnlyList<NewerBytes> All { get; } =
    [
        .. Header("pointer-file", "pointer file", new PointerFile(Database, 3).Encode(), 40),
        .. Header("wal-segment", "segment", Segment(), 56),
        .. Header("manifest-log", "manifest", ManifestLog.EncodeHeader(Database, Salt), 40),
        .. Header("snapshot-manifest", "snapshot manifest", SnapshotManifestCodec.EncodeHeader(1000), 24),
        .. Header("packed-snapshot", "packed snapshot", PackFormat.EncodeHeader(new PackHeader(1000, 2)), 32),
        .. Records(),
        .. Edits(),
        .. States(),
        .. Blocks(),
        .. Footers(),
    ];

    /// <summary>A file's version and feature bits, and the first checksum, which covers all before it.</summary>
    private static IEnumerable<NewerBytes> Header(string structure, string name, byte[] bytes, int checksum)
    {
        yield return Changed("version", 8, 2, $"{name} of version 2");
        yield return Changed("features", 15, 0x80, $"{name} with the feature bits 0x80000000");

        NewerBytes Changed(string place, int at, byte value, string met)
        {
            var changed = With(bytes, at, value);
            Put(changed.AsSpan(checksum), XxHash3.HashToUInt64(changed.AsSpan(0, checksum)));
            return new NewerBytes(structure, place, changed, at, at & ~3, met);
        }
    }

    private static byte[] Segment()
    {
        var page = new byte[WalSegmentHeader.Size];
        new WalSegmentHeader(Database, 7, Salt, 1 << 20).Encode(page);
        return page[..64];
    }

    private static IEnumerable<NewerBytes> Records()
    {
        var advance = new byte[WalRecordHeader.Size];
        new WalRecordHeader { Offset = Begin, Length = WalRecordHeader.Size, Type = WalRecordType.Advance }
            .Finish(advance, Salt);
        var chunk = Chunk(out var operation);
        yield return Changed("type", advance, 92, 8, 92, "record of type 8");
        yield return Changed("flags", advance, 94, 1, 94, "record with the flags 0x0001");
        yield return Changed(
            "columns-of-no-chunk", advance, 93, 0x20, 88,
            "Advance record with a payload of 0 bytes and the flags 0x20");
        yield return Changed("payload", advance, 88, 8, 88, "Advance record of 96 bytes with a payload of 8");
        yield return Changed("indexes", advance, 40, 1, 40, "Advance record from index 1 to 0");
        yield return Changed("columns", chunk, 93, 0x20, 93, "chunk record with the columns 0x20");
        yield return Changed("counts", chunk, 80, 0, 80, "chunk record of 0 entries and 1 operations, index 5 to 5");
        yield return Changed("operation-kind", chunk, operation + 18, 4, 18, "operation of kind 4");
        yield return Changed("operation-flags", chunk, operation + 19, 1, 19, "operation with the flags 0x01");

        static NewerBytes Changed(string place, byte[] record, int at, byte value, long offset, string met)
        {
            var changed = With(record, at, value);
            Put(changed, XxHash3.HashToUInt64(changed.AsSpan(8), unchecked((long)Salt)));
            return new NewerBytes("wal-record", place, changed, at, offset, met);
        }
    }

    private static byte[] Chunk(out int operation)
    {
        var record = new byte[256];
        EntryPosition[] entries = [new EntryPosition { Index = 5, Term = 2, LogTimeMs = 9, Succeeded = true }];
        var flags = ChunkColumnsWriter.Needed(entries);
        var payload = ChunkColumnsWriter.Write(record.AsSpan(WalRecordHeader.Size), entries, flags);
        operation = WalRecordHeader.Size + payload;
        var size = WalOperation.Write(record.AsSpan(operation), 5, default, RecordKind.Put, "apple"u8, "red"u8, 0);
        var length = operation + (int)size;
        new WalRecordHeader
        {
            Offset = Begin,
            Length = length,
            FirstIndex = 5,
            LastIndex = 5,
            Term = 2,
            LogTimeMs = 9,
            EntryCount = 1,
            OperationCount = 1,
            PayloadLength = payload,
            Type = WalRecordType.Chunk,
            Flags = flags,
        }.Finish(record, Salt);
        return record[..length];
    }

    private static IEnumerable<NewerBytes> Edits()
    {
        const int State = 2 + 1 + 8 + 8;
        const int Descriptor = State + 4 + 4 + 8;
        var small = new VersionEdit { NextFileNumber = 12, FirstSegment = 10, Added = [new AddedTable(2, Table)] };
        var edit = VersionEditCodec.Encode(small);
        var state = MachineState.Empty(Salt, StoredLeaseClock.Local);
        var withState = VersionEditCodec.Encode(small with { State = state });
        yield return Next("version-edit", "version", edit, 0, "version edit");
        yield return Set("version-edit", "flags", edit, 2, 0x80, "version edit with the flags 0x80");
        yield return Next("version-edit", "state-version", withState, State, "machine state");
        yield return Next("version-edit", "descriptor-version", edit, Descriptor, "table descriptor");
    }

    private static IEnumerable<NewerBytes> States()
    {
        const int Clock = 2 + 1 + 8 * 8;
        var state = MachineStateCodec.Encode(MachineState.Empty(Salt, StoredLeaseClock.Local));
        yield return Next("machine-state", "version", state, 0, "machine state");
        yield return Set("machine-state", "flags", state, 2, 0x40, "machine state with the flags 0x40");
        yield return Set("machine-state", "lease-clock", state, Clock, 2, "machine state with the lease clock 2");
    }

    private static IEnumerable<NewerBytes> Blocks()
    {
        var block = new byte[1024];
        DataBlockRow[] rows = [new(0, 2, 4, 2, RecordKind.Put, 0, 1), new(2, 2, 0, 0, RecordKind.Tombstone, 0, 2)];
        block = block[..DataBlock.Encode(rows, "k1k2v1"u8, block, Salt, Begin)];
        var kinds = DataBlockShape.ReadHeader(block).KindsOffset;
        var flags = block[13];
        var more = (byte)(flags | 0x80);
        yield return Changed("flags", 13, more, 13, $"data block with the flags 0x{more:x2} and 0x0000 after them");
        yield return Changed("reserved", 14, 1, 13, $"data block with the flags 0x{flags:x2} and 0x0001 after them");
        yield return Changed("row-kind", kinds + 1, 9, kinds + 1, "row of kind 9");

        NewerBytes Changed(string place, int at, byte value, long offset, string met)
        {
            var changed = With(block, at, value);
            Put(changed.AsSpan(^8..), TableChecksum.Of(changed.AsSpan(..^8), Salt, Begin));
            return new NewerBytes("data-block", place, changed, at, offset, met);
        }
    }

    private static IEnumerable<NewerBytes> Footers()
    {
        var footer = new byte[TableFooter.Bytes];
        new TableFooter
        {
            Origin = Database,
            OriginNumber = 7,
            DataLength = 128,
            Leases = new TableRegion(128, 32, 1),
            Filter = new TableRegion(192, 64, 2),
            Index = new TableRegion(256, 270, 3),
            Properties = new TableRegion(576, 60, 4),
            HashSeed = Salt,
        }.Encode(footer);
        yield return Changed("version", footer, TableFooter.Bytes - 24, 2, "table of version 2");
        yield return Changed("features", footer, 36, 2, "table with the feature bits 0x00000002");
        yield return Changed("compression", footer, 32, 1, "table with compression 1");
        byte[] longer = [.. new byte[8], .. footer];
        yield return Changed(
            "length", longer, TableFooter.Bytes - 12, TableFooter.Bytes + 8, "table footer of 176 bytes");

        static NewerBytes Changed(string place, byte[] end, int at, byte value, string met)
        {
            var changed = With(end, at, value);
            Put(changed.AsSpan(^16..), XxHash3.HashToUInt64(changed.AsSpan(..^16)));
            return new NewerBytes("table-footer", place, changed, at, at, met);
        }
    }

    /// <summary>The version after the present one.</summary>
    private static NewerBytes Next(string structure, string place, byte[] bytes, int at, string name) =>
        Set(structure, place, bytes, at, (byte)(bytes[at] + 1), $"{name} of version {bytes[at] + 1}");

    private static NewerBytes Set(string structure, string place, byte[] bytes, int at, byte value, string met) =>
        new(structure, place, With(bytes, at, value), at, at, met);

    private static void Put(Span<byte> bytes, ulong checksum) =>
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, checksum);

    private static byte[] With(byte[] bytes, int at, byte value)
    {
        var changed = bytes.ToArray();
        if (changed[at] == value) throw new InvalidOperationException($"This build writes {value} there too.");
        changed[at] = value;
        return changed;
    }
}
