using System.Runtime.InteropServices;
using System.Text;
using Varve.Format;
using Varve.Tables;
using Xunit;

namespace Varve.Tests.Tables;

/// <summary>
/// A search of a data block without a candidate reads no row. Behind each block here, in readable memory, lies a decoy
/// for the key at the row that no candidate (64, of no bits) names.
/// </summary>
public sealed unsafe class BlockSearchTests
{
    private const int NoRow = 64;
    private const int Zone = 64 << 10;
    private const ulong Salt = 7;

    public static TheoryData<string, string[], string> Blocks => new()
    {
        { "uniform, prefix and tail in registers", ["key-aaaaaaaa-1", "key-bbbbbbbb-2"], "key-cccccccc-3" },
        { "uniform, no tail", ["key-a", "key-b"], "key-c" },
        {
            "uniform, a longer prefix",
            ["a longer prefix/aaaaaaaa-1", "a longer prefix/bbbbbbbb-2"],
            "a longer prefix/cccccccc-3"
        },
        { "uniform, a longer tail", ["a, and its longer tail", "b, and its longer tail"], "c, and its longer tail" },
        { "keys and rows of any length", ["key-aaaaaaaa-1", "key-bbbbbbbb-and more"], "key-cccccccc-3" },
        { "rows of any kind", ["key-aaaaaaaa-1", "key-bbbbbbbb-leased"], "key-cccccccc-3" },
    };

    [Theory]
    [MemberData(nameof(Blocks))]
    public void NoRowIsReadWithoutTagMatch(string shape, string[] keys, string absent)
    {
        var memory = (byte*)NativeMemory.AlignedAlloc(Zone, DataBlockHeader.Alignment);
        try
        {
            var zone = new Span<byte>(memory, Zone);
            zone.Clear();
            var extent = Encode(keys, zone);
            Assert.True(DataBlock.TryValidate(zone[..extent], Salt, 0, out _), shape);
            var sought = Encoding.ASCII.GetBytes(absent);
            SetTrap(memory, extent, sought);

            var hash = (ulong)keys.Length; // its tag is no row's
            Assert.Equal(0UL, DataBlockView.Candidates(memory, hash));
            Assert.False(DataBlockView.Find(memory, memory, sought, 0).Exists);
            var block = new DataBlockView(memory, memory);
            Assert.False(block.Find(sought, hash).Exists);
            Assert.Equal(-1, block.RowOf(sought, hash));

            // The decoy works, and the search finds stored keys.
            Assert.Equal(0, block.CompareKeyTo(NoRow, sought));
            for (var row = 0; row < keys.Length; row++)
                Assert.Equal(row, block.RowOf(Encoding.ASCII.GetBytes(keys[row]), (ulong)row));
        }
        finally
        {
            NativeMemory.AlignedFree(memory);
        }
    }

    /// <summary>Writes a block whose rows have the tags 0, 1, ...; the key decides whether its row is leased.</summary>
    private static int Encode(string[] keys, Span<byte> zone)
    {
        var bytes = Encoding.ASCII.GetBytes(string.Concat(keys) + "value");
        var rows = new DataBlockRow[keys.Length];
        var at = 0;
        for (var i = 0; i < keys.Length; i++)
        {
            var kind = keys[i].EndsWith("leased", StringComparison.Ordinal) ? RecordKind.LeasedPut : RecordKind.Put;
            rows[i] = new DataBlockRow(at, (ushort)keys[i].Length, bytes.Length - 5, 5, kind, 1000, (byte)i);
            at += keys[i].Length;
        }

        return DataBlock.Encode(rows, bytes, zone, Salt, 0);
    }

    /// <summary>Puts a row behind the block: in every column what makes it the key's.</summary>
    private static void SetTrap(byte* memory, int extent, ReadOnlySpan<byte> key)
    {
        const int Row = 8000; // from the first row's begin on, for a block that has a column of offsets
        var header = DataBlockShape.ReadHeader(new ReadOnlySpan<byte>(memory, extent));
        var tail = DataBlockHeader.TailBytes(key.Length, header.PrefixLength);
        Put(DataBlockHeader.HeadsOffset + sizeof(ulong) * NoRow, KeyHead.Of(key, header.PrefixLength));
        if (!header.HasFixedKeys) Put(header.KeyLengthsOffset + sizeof(ushort) * NoRow, (ushort)key.Length);
        if (!header.HasFixedRows) Put(header.RowOffsetsOffset + sizeof(uint) * NoRow, Row | (ulong)(Row + tail) << 32);
        var begin = header.HasFixedRows ? (int)header.RowBytes * NoRow : Row;
        for (var i = 0; i < tail; i++) Put(header.RowsOffset + begin + i, key[key.Length - tail + i]);

        void Put<T>(int offset, T value)
            where T : unmanaged
        {
            Assert.True(offset >= extent, $"a column of row {NoRow} begins at {offset}, inside of the block");
            *(T*)(memory + offset) = value;
        }
    }
}
