using System.Numerics;
using System.Runtime.CompilerServices;
using Varve.Format;

namespace Varve.Tables;

/// <summary>
/// Finds the block of a key in a validated, mapped index (<see cref="TableIndexShape"/>). The pointers live as long as the
/// table's mapping.
/// </summary>
internal unsafe struct TableIndexReader
{
    private const int LevelsMax = 8;

    private readonly int levels;
    private readonly byte* lines;
    private readonly uint* blockOffsets;
    private readonly uint* separatorOffsets;
    private readonly byte* separators;
    private fixed long levelAddresses[LevelsMax];

    public TableIndexReader(byte* index, TableIndexShape shape)
    {
        BlockCount = shape.BlockCount;
        levels = shape.Levels;
        lines = index + shape.LinesOffset;
        blockOffsets = (uint*)(index + shape.BlockOffsetsOffset);
        separatorOffsets = (uint*)(index + shape.SeparatorOffsetsOffset);
        separators = index + shape.SeparatorsOffset;
        for (int level = 0; level < levels; level++)
            levelAddresses[level] = (long)(index + shape.LevelOffset(level));
    }

    public int BlockCount { get; }

    /// <summary>Where a block begins in the file; for the block count, where the last one ends.</summary>
    public readonly long BlockOffset(int block) => (long)blockOffsets[block] * DataBlockHeader.Alignment;

    /// <summary>The copy of a block's first line.</summary>
    public readonly byte* Line(int block) => lines + (long)block * DataBlockHeader.HeadsOffset;

    /// <summary>Asks for a block's line and offset.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly void Prefetch(int block)
    {
        Memory.Prefetch.Line(Line(block));
        Memory.Prefetch.Line(blockOffsets + block);
    }

    /// <summary>The only block that can hold a key which is inside the table's range.</summary>
    public readonly int Find(ReadOnlySpan<byte> key)
    {
        long node = 0;
        for (int level = levels - 1; level >= 0; level--)
        {
            byte* address = (byte*)levelAddresses[level] + node * TableIndexShape.NodeBytes;
            int count = address[TableIndexShape.NodeCountOffset];
            ulong head = KeyHead.Of(key, *(ushort*)(address + TableIndexShape.NodePrefixOffset));
            int rank = BitOperations.PopCount(HeadSearch.Below((ulong*)address, count, head));
            if (rank < count && ((ulong*)address)[rank] == head)
                rank = RankAmongEqual(key, level, node, rank, count, head);
            node = node * TableIndexShape.Fanout + rank;
        }
        return (int)node;
    }

    public readonly ReadOnlySpan<byte> Separator(long separator)
    {
        uint begin = separatorOffsets[separator];
        return new ReadOnlySpan<byte>(separators + begin, (int)(separatorOffsets[separator + 1] - begin));
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private readonly int RankAmongEqual(ReadOnlySpan<byte> key, int level, long node, int rank, int count, ulong head)
    {
        ulong* heads = (ulong*)((byte*)levelAddresses[level] + node * TableIndexShape.NodeBytes);
        while (rank < count && heads[rank] == head && Separator(TableIndexShape.SeparatorAt(level, node, rank)).SequenceCompareTo(key) <= 0)
            rank++;
        return rank;
    }
}
