using System.Buffers.Binary;
using Varve.Format;
using Varve.Tables;
using Varve.Tests.Shared.Disk;
using static Varve.Fuzz.Targets.Contract;

namespace Varve.Fuzz.Targets;

/// <summary>
/// The index of a table: u64 length of the data region, then the index, then searched for whatever it holds.
/// </summary>
internal static unsafe class TableIndexTarget
{
    public static ulong Run(ReadOnlySpan<byte> input)
    {
        if (input.Length < sizeof(ulong)) return 0;
        var dataLength = BinaryPrimitives.ReadInt64LittleEndian(input);
        var bytes = input[sizeof(ulong)..].ToArray();
        var valid = TableIndex.TryValidate(bytes, dataLength, out var shape, out var error);
        Holds(valid == (!error.IsFault), "a reason exactly for a refusal");
        Holds(error.Offset >= 0, "an error with a place");
        if (!valid) return Feature.Of(error);

        using var memory = new GuardedMemory(bytes, mayReuse: true);
        var index = new TableIndexReader(memory.Address, shape!);
        Holds(
            index.BlockCount == shape!.BlockCount && index.BlockOffset(index.BlockCount) == dataLength,
            "blocks that cover the data");
        ulong sum = 0;
        for (var block = 0; block < index.BlockCount; block++)
        {
            Holds(index.BlockOffset(block) < index.BlockOffset(block + 1), "blocks that ascend");
            sum += index.Line(block)[DataBlockHeader.HeadsOffset - 1];
            if (block + 1 < index.BlockCount) Probe(index, index.Separator(block));
        }

        Probe(index, bytes.AsSpan(0, Math.Min(64, bytes.Length)));
        Probe(index, [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF]);
        GC.KeepAlive(sum);
        return Feature.Of("index", Feature.Bucket(index.BlockCount));
    }

    public static IEnumerable<(string, byte[])> Seeds() =>
        [("one-block", Seed(1)), ("five-blocks", Seed(5)), ("two-levels", Seed(18))];

    private static void Probe(TableIndexReader index, ReadOnlySpan<byte> key)
    {
        for (var length = 0; length <= Math.Min(3, key.Length); length++) ProbeOne(index, key[..length]);
        ProbeOne(index, key);
    }

    private static void ProbeOne(TableIndexReader index, ReadOnlySpan<byte> key)
    {
        var block = index.Find(key);
        Holds(block >= 0 && block < index.BlockCount, "a block that exists");
    }

    private static byte[] Seed(int blocks)
    {
        var offsets = Enumerable.Range(0, blocks + 1).Select(i => (uint)(2 * i)).ToArray();
        var separators = Enumerable.Range(1, blocks - 1).SelectMany(i => new[] { (byte)'k', (byte)i }).ToArray();
        var separatorOffsets = Enumerable.Range(0, blocks).Select(i => (uint)(2 * i)).ToArray();
        var index = new byte[sizeof(ulong) + TableIndex.Length(blocks, separators.Length)];
        BinaryPrimitives.WriteInt64LittleEndian(index, offsets[^1] * (long)DataBlockHeader.Alignment);
        TableIndex.Encode(
            index.AsSpan(sizeof(ulong)), new byte[DataBlockHeader.HeadsOffset * blocks], offsets, separatorOffsets,
            separators, "a"u8, "z"u8);
        return index;
    }
}
