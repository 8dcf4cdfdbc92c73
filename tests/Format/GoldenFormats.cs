using System.Buffers;
using Varve.Format;
using Varve.Tests.Format.Records;
using Varve.Tests.Format.Wire;

namespace Varve.Tests.Format;

/// <summary>The bytes on disk and on the wire, as they are and have to stay.</summary>
public class GoldenFormats
{
    private static readonly (int Size, string Meaning)[] TableFields =
    [
        (2, "table descriptor: version 1"), (16, "origin"), (8, "origin number 7"), (8, "number 9"), (8, "length 4096"),
        (16, "hash"), (8, "100 rows"),
        (8, "5 tombstones"), (8, "3 leases"), (4, "smallest key: 5 bytes"), (5, "\"apple\""),
        (4, "largest key: 4 bytes"), (4, "\"pear\""),
    ];

    private static readonly (int Size, string Meaning)[] StateFields =
    [
        (2, "machine state: version 1"), (1, "flags: has a snapshot and a mark"), (8, "last index 1000"),
        (8, "last term 4"),
        (8, "log time"), (8, "local time"), (8, "95 live keys"), (8, "counted time"), (8, "cleaned time"),
        (8, "hash seed"), (1, "lease clock: log"), (4, "2 term runs"), (8, "from index 1"), (8, "term 2"),
        (8, "from index 500"), (8, "term 4"), (4, "2 outcome runs"), (8, "from index 981"), (4, "10 entries"),
        (2, "bits"), (8, "from index 993"), (4, "8 entries"), (1, "bits"), (8, "snapshot index 900"),
        (8, "snapshot term 4"), (32, "snapshot checksum"), (1, "mark: 7 bytes"), (7, "\"outer 7\""),
    ];

    private static readonly (int Size, string Meaning)[] EditFields =
    [
        (2, "version edit: version 1"), (1, "flags: replace, has a state"), (8, "next file number 12"),
        (8, "first segment 10"), .. StateFields, (4, "2 removed"), (8, "table 3"),
        (8, "table 4"), (4, "1 added"), (8, "run order 2"), .. TableFields,
    ];

    [Fact]
    public void TableDescriptors() =>
        new Golden().Fields(TableDescriptorCodec.Encode(Samples.Table), TableFields).Check("table-descriptor");

    [Fact]
    public void MachineStates() =>
        new Golden().Fields(MachineStateCodec.Encode(Samples.State), StateFields).Check("machine-state");

    [Fact]
    public void VersionEdits() =>
        new Golden().Fields(VersionEditCodec.Encode(Samples.Edit), EditFields).Check("version-edit");

    [Fact]
    public void ManifestLogs()
    {
        var golden = new Golden().Fields(
            ManifestLog.EncodeHeader(Samples.DatabaseId, 0x1122_3344_5566_7788), (8, "header: magic"), (4, "version 1"),
            (4, "feature bits"), (16, "database id"), (8, "salt"), (8, "checksum"));
        long offset = ManifestLog.HeaderSize;
        foreach (var payload in (byte[][])[VersionEditCodec.Encode(Samples.Edit), [1, 2, 3]])
        {
            var record = ManifestLog.EncodeRecord(0x1122_3344_5566_7788, offset, payload);
            golden.Fields(
                record, (8, "record: checksum"), (4, "length"), (8, "offset"), (payload.Length, "payload"),
                (record.Length - ManifestLog.RecordHeaderSize - payload.Length, "padding"));
            offset += record.Length;
        }

        golden.Check("manifest-log");
    }

    [Fact]
    public void SnapshotManifests()
    {
        var payload = SnapshotManifestCodec.EncodePayload(Samples.Manifest);
        new Golden()
            .Fields(SnapshotManifestCodec.EncodeHeader(payload.Length), (8, "header: magic"), (4, "version 1"), (
                4, "feature bits"),
                (8, "length of the payload"), (8, "checksum"))
            .Fields(payload, [
                (16, "payload, decompressed: database id"), .. StateFields, (4, "2 tables"), (8, "run order 2"),
                .. TableFields, (8, "run order 1"), .. TableFields])
            .Check("snapshot-manifest");

        // The compressed bytes may change with zstd's version; the decompressed payload may not.
        Assert.True(
            SnapshotManifestCodec.TryDecode(SnapshotManifestCodec.Encode(Samples.Manifest), out var manifest, out _));
        Assert.Equal(Samples.Text(Samples.Manifest), Samples.Text(manifest));
    }

    [Fact]
    public void Packs() => new Golden()
        .Fields(PackFormat.EncodeHeader(new PackHeader(0x1234, 2)), (8, "magic"), (4, "version 1"), (4, "feature bits"),
            (8, "length of the manifest"), (8, "2 files"), (8, "checksum"))
        .Fields(PackFormat.EncodeFileHeader(4096), (8, "before each file: its length"))
        .Fields(PackFormat.EncodeTrailer(Samples.Table.Hash), (16, "trailer: hash"))
        .Check("pack");

    [Fact]
    public void Chunks()
    {
        var golden = new Golden();
        var whole = new ArrayBufferWriter<byte>();
        Entry("noop, index 1, term 1", buffer => WireWriter.WriteNoop(buffer, 1, 1));
        Entry(
            "insert k1 = v1 for 60 s, index 300, term 2, with a timestamp",
            buffer => WireWriter.WriteInsert(buffer, 300, 2, "k1"u8, "v1"u8, 60, 1_700_000_000_000));
        Entry("insert k1, empty value", buffer => WireWriter.WriteInsert(buffer, 301, 2, "k1"u8, []));
        Entry("delete k1", buffer => WireWriter.WriteDelete(buffer, 302, 2, "k1"u8));
        Entry(
            "compare-and-swap k1: absent -> v2",
            buffer => WireWriter.WriteCompareAndSwap(buffer, 303, 2, "k1"u8, hasExpected: false, [], "v2"u8));
        Entry(
            "compare-and-swap k1: v2 -> v3",
            buffer => WireWriter.WriteCompareAndSwap(buffer, 304, 2, "k1"u8, hasExpected: true, "v2"u8, "v3"u8));
        Entry(
            "compare-and-swap k1: empty -> v4",
            buffer => WireWriter.WriteCompareAndSwap(buffer, 305, 2, "k1"u8, hasExpected: true, [], "v4"u8));
        golden.Check("chunk");
        Assert.Equal(7, GoogleOracle.AssertSame(whole.WrittenSpan)!.Count);

        void Entry(string meaning, Action<IBufferWriter<byte>> write)
        {
            var buffer = new ArrayBufferWriter<byte>();
            write(buffer);
            write(whole);
            golden.Field(buffer.WrittenSpan, meaning);
        }
    }
}
