using Varve.Format;
using Varve.Tests.Format.Records;

namespace Varve.Tests.Format.Wal;

/// <summary>
/// The bytes of the log and of the two files that everything hangs from, as they are and have to stay.
/// </summary>
public class GoldenWal
{
    private static readonly (int Size, string Meaning)[] MarkerFields =
    [
        (8, "checksum"), (8, "offset 4096"), (8, "length"), (8, "synced: segment 6"), (8, "synced: offset 8192"),
        (8, "first index 999"), (8, "last index 999"), (8, "term 4"),
        (8, "log time"), (8, "local time"), (4, "no entries"), (4, "no operations"), (4, "payload length"), (1, "type"),
        (1, "no columns"), (2, "no flags"),
    ];

    [Fact]
    public void SegmentHeaders()
    {
        var page = new byte[WalSegmentHeader.Size];
        WalSamples.Segment.Encode(page);
        Assert.False(page.AsSpan(64).ContainsAnyExcept((byte)0));
        new Golden().Fields(
            page.AsSpan(0, 64), (8, "magic"), (4, "version 1"), (4, "feature bits"), (16, "database id"),
            (8, "segment number 7"), (8, "salt"), (8, "length 1 MiB"), (8, "checksum; then zeros to 4096"))
            .Check("wal-segment");
    }

    [Fact]
    public void ChunkRecords() => new Golden().Fields(
        WalSamples.ChunkRecord(),
        (8, "checksum"), (8, "offset 4096"), (8, "length"), (8, "synced: segment 6"), (8, "synced: offset 8192"),
        (8, "first index 1000"), (8, "last index 1304"), (8, "term 5"),
        (8, "log time"), (8, "local time"), (4, "4 entries"), (4, "3 operations"), (4, "payload length"),
        (1, "type: chunk"), (1, "columns: indexes, terms, times, mark"), (2, "no flags"),
        (1, "outcomes: 1, 1, 1, 0"), (1, "indexes: +1"), (1, "+1 and 1"), (2, "+1 and 300"), (1, "terms: 4"), (1, "+0"),
        (1, "+1"), (1, "+0"),
        (6, "times: 1,700,000,000,000"), (1, "+0"), (2, "+200"), (1, "+0"), (1, "mark: 4 bytes"), (4, "\"mark\""),
        (8, "put: index 1000"), (4, "no prior version here"), (4, "value: 5 bytes"), (2, "key: 3 bytes"), (1, "kind 1"),
        (1, "0"), (3, "\"key\""), (5, "\"value\""), (4, "padding"),
        (8, "leased put: index 1001"), (4, "no prior version here"), (4, "value: 1 byte"), (2, "key: 5 bytes"),
        (1, "kind 2"), (1, "0"), (5, "\"lease\""), (1, "\"v\""), (8, "deadline"), (6, "padding"),
        (8, "tombstone: index 1003"), (4, "prior version: at 527 * 8"), (4, "no value"), (2, "key: 3 bytes"),
        (1, "kind 3"), (1, "0"), (3, "\"key\""), (1, "padding")).Check("wal-chunk");

    [Fact]
    public void MarkerRecords() => new Golden()
        .Fields(
            WalSamples.Marker(WalRecordType.Link, WalSamples.Words(6, 65_000, 0x99)),
            [(0, "link"), .. MarkerFields, (8, "segment 6"), (8, "ended at 65,000"), (8, "its salt")])
        .Fields(WalSamples.Marker(WalRecordType.Advance, []), [(0, "advance"), .. MarkerFields])
        .Fields(
            WalSamples.Marker(WalRecordType.Clean, WalSamples.CleanUp(1_700_000_000_000, "pear", "fig")),
            [
                (0, "clean"), .. MarkerFields, (8, "leases up to this deadline"), (4, "2 keys"), (4, "0"),
                (2, "4 bytes"), (4, "\"pear\""), (2, "3 bytes"), (3, "\"fig\""), (5, "padding"),
            ])
        .Fields(
            WalSamples.Marker(
                WalRecordType.Snapshot, [.. WalSamples.Words(900, 4), .. Enumerable.Range(0, 32).Select(i => (byte)i)]),
            [(0, "snapshot"), .. MarkerFields, (8, "index 900"), (8, "term 4"), (32, "checksum")])
        .Fields(
            WalSamples.Marker(WalRecordType.Sealed, WalSamples.Words(8)),
            [(0, "sealed"), .. MarkerFields, (8, "goes on in segment 8")])
        .Fields(
            WalSamples.Marker(WalRecordType.Mark, WalSamples.MarkPayload("outer 7"u8)),
            [(0, "mark"), .. MarkerFields, (8, "7 bytes"), (7, "\"outer 7\""), (57, "zeros")])
        .Check("wal-notes");

    [Fact]
    public void PointerFiles() => new Golden()
        .Fields(
            new PointerFile(Samples.DatabaseId, 3).Encode(), (8, "magic"), (4, "version 1"), (4, "feature bits"),
            (16, "database id"), (8, "manifest 3"), (8, "checksum"))
        .Check("pointer");
}
