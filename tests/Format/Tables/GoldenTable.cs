using System.Text;
using Varve.Format;

namespace Varve.Tests.Format.Tables;

/// <summary>A whole small table, byte by byte; the engine's tests hold the writer to the same bytes.</summary>
public class GoldenTable
{
    private static readonly Guid Origin = new("00112233-4455-6677-8899-aabbccddeeff");
    private static readonly ulong Salt = TableChecksum.Salt(Origin, 7);

    [Fact]
    public void TableOfTwoBlocksKeepsItsBytes()
    {
        var file = new List<byte>();
        var uniform = Block(
            file, ("key-00000001", RecordKind.Put, 0, new string('1', 40)),
            ("key-00000002", RecordKind.Put, 0, new string('2', 40)));
        var mixed = Block(
            file, ("key-2", RecordKind.LeasedPut, 5000, "leased"), ("key-20000000000", RecordKind.Put, 0, "a tail"),
            ("key-21", RecordKind.Tombstone, 0, ""));

        var leases = new byte[TableLeases.EntryBytes];
        TableLeases.Write(leases, new TableLease(5000, 1, 0));
        var leaseRegion = Region(file, leases, out byte[] beforeLeases);

        var filter = new byte[TableFilter.Length(5, 10)];
        foreach (var key in (string[])["key-00000001", "key-00000002", "key-2", "key-20000000000", "key-21"])
            TableFilter.Add(filter, TestHash.Of(Bytes(key)));
        var filterRegion = Region(file, filter, out byte[] beforeFilter);

        var separator = TableIndex.Separator(Bytes("key-00000002"), Bytes("key-2")).ToArray();
        var index = new byte[TableIndex.Length(2, separator.Length)];
        TableIndex.Encode(
            index, [.. uniform[..64], .. mixed[..64]], [0, (uint)uniform.Length / 64, (uint)(uniform.Length
                + mixed.Length) / 64], [0, (uint)separator.Length], separator, Bytes("key-00000001"), Bytes("key-21"));
        var indexRegion = Region(file, index, out byte[] beforeIndex);

        var counts = new TableProperties
        {
            RowCount = 5,
            TombstoneCount = 1,
            LeaseCount = 1,
            BlockCount = 2,
            SmallestDeadline = 5000,
            LargestDeadline = 5000,
            SmallestKey = Bytes("key-00000001"),
            LargestKey = Bytes("key-21"),
        };
        var properties = new byte[counts.EncodedLength];
        counts.Encode(properties);
        var propertiesRegion = Region(file, properties, out byte[] beforeProperties);
        var beforeFooter = Align(file);
        var footer = new byte[TableFooter.Bytes];
        new TableFooter
        {
            Origin = Origin,
            OriginNumber = 7,
            DataLength = uniform.Length + mixed.Length,
            Leases = leaseRegion,
            Filter = filterRegion,
            Index = indexRegion,
            Properties = propertiesRegion,
            HashSeed = TestHash.Seed,
        }.Encode(footer);

        new Golden()
            .Fields(
                uniform, (4, "block 0: length 171"), (4, "40 bytes a row"), (2, "prefix of 11 bytes"),
                (2, "keys of 12 bytes"), (1, "2 rows"), (1, "fixed keys, fixed rows, all puts"), (2, "0"),
                (48, "tags"), (8, "head \"1\""), (8, "head \"2\""), (11, "prefix"), (40, "value of row 0"),
                (40, "value of row 1"), (uniform.Length - 179, "zeros"), (8, "checksum"))
            .Fields(
                mixed, (4, "block 1: length 140"), (4, "rows differ"), (2, "prefix of 5 bytes"), (2, "keys differ"),
                (1, "3 rows"), (1, "no flags"), (2, "0"), (48, "tags"), (8, "head of an ended key"),
                (8, "head \"00000000\""), (8, "head \"1\""), (6, "key lengths 5, 15, 6"),
                (3, "leased put, put, tombstone"), (16, "row offsets 0, 14, 22, 22"), (5, "prefix"),
                (6, "value of row 0"), (8, "its deadline"), (2, "row 1: key after head"), (6, "its value"),
                (mixed.Length - 148, "zeros"), (8, "checksum"))
            .Field(beforeLeases, "zeros")
            .Fields(leases, (8, "lease: deadline 5000"), (4, "block 1"), (1, "row 0"), (3, "0"))
            .Field(beforeFilter, "zeros").Field(filter, "filter: one line")
            .Field(beforeIndex, "zeros")
            .Fields(
                index, (8, "index: 2 blocks"), (56, "0"), (8, "node 0: head \"2\""), (112, "unused heads"),
                (2, "prefix of 4 bytes"), (1, "1 separator"), (5, "0"), (64, "first line of block 0"),
                (64, "first line of block 1"), (12, "block offsets / 64"),
                (8, "separator offsets"), (5, "separator \"key-2\""))
            .Field(beforeProperties, "zeros")
            .Fields(
                properties, (8, "properties: 5 rows"), (8, "1 tombstone"), (8, "1 lease"), (
                    8, "2 blocks"), (8, "smallest deadline"), (8, "largest deadline"), (2, "12 bytes"), (2, "6 bytes"),
                (12, "smallest key"), (6, "largest key"))
            .Field(beforeFooter, "zeros")
            .Fields(
                footer, (16, "footer: origin"), (8, "origin number 7"), (8, "length of the data"),
                (4, "no compression"), (4, "feature bits"), (8, "leases: offset"), (8, "length"), (8, "checksum"),
                (8, "filter: offset"), (8, "length"), (8, "checksum"), (8, "index: offset"), (8, "length"),
                (8, "checksum"), (8, "properties: offset"), (8, "length"), (8, "checksum"), (8, "hash seed"),
                (4, "format version 1"), (4, "footer length 168"), (8, "checksum"), (8, "magic \"VarveTab\""))
            .Check("table");
    }

    private static byte[] Bytes(string text) => Encoding.ASCII.GetBytes(text);

    private static byte[] Block(
        List<byte> file, params (string Key, RecordKind Kind, ulong Deadline, string Value)[] rows)
    {
        var bytes = new List<byte>();
        var encoded = new List<DataBlockRow>();
        foreach ((string key, RecordKind kind, ulong deadline, string value) in rows)
        {
            encoded.Add(new DataBlockRow(
                bytes.Count, (ushort)key.Length, bytes.Count + key.Length, value.Length, kind, deadline,
                DataBlock.TagOf(TestHash.Of(Bytes(key)))));
            bytes.AddRange(Bytes(key + value));
        }
        var block = new byte[DataBlock.ExtentMax(rows.Length, 0, bytes.Count)];
        block = block[..DataBlock.Encode(encoded.ToArray(), bytes.ToArray(), block, Salt, file.Count)];
        Assert.True(DataBlock.TryValidate(block, Salt, file.Count, out _));
        file.AddRange(block);
        return block;
    }

    private static TableRegion Region(List<byte> file, byte[] region, out byte[] before)
    {
        before = Align(file);
        var placed = new TableRegion(file.Count, region.Length, TableChecksum.Of(region, Salt, file.Count));
        file.AddRange(region);
        return placed;
    }

    private static byte[] Align(List<byte> file)
    {
        var zeros = new byte[-file.Count & 63];
        file.AddRange(zeros);
        return zeros;
    }
}
