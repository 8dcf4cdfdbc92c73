using System.Numerics;
using System.Runtime.CompilerServices;
using Varve.Format;

namespace Varve.Tables;

/// <summary>Finds the block of a key in a validated, mapped index (<see cref="TableIndexShape"/>).</summary>
internal struct TableIndexReader
{
    private const int LevelsMax = 8;

    private readonly int _levels;

    // SAFETY: these members point into the index's region of the table's mapping, and live as long as it. Validation
    // has checked that the arrays for all blocks, separators and levels are inside.
    private readonly unsafe byte* _lines;
    private readonly unsafe uint* _blockOffsets;
    private readonly unsafe uint* _separatorOffsets;
    private readonly unsafe byte* _separators;
    private unsafe fixed long _levelAddresses[LevelsMax];

    // SAFETY: the shape's offsets are inside the region, and it has at most LevelsMax levels.
    public unsafe TableIndexReader(byte* index, TableIndexShape shape)
    {
        BlockCount = shape.BlockCount;
        _levels = shape.Levels;
        _lines = index + shape.LinesOffset;
        _blockOffsets = (uint*)(index + shape.BlockOffsetsOffset);
        _separatorOffsets = (uint*)(index + shape.SeparatorOffsetsOffset);
        _separators = index + shape.SeparatorsOffset;
        for (var level = 0; level < _levels; level++)
            _levelAddresses[level] = (long)(index + shape.LevelOffset(level));
    }

    public int BlockCount { get; }

    // SAFETY: these members read the arrays at a block's number, which is below the count, or the count for the offset.

    /// <summary>The offset of a block in the file; for the block count, the end of the last one.</summary>
    public readonly unsafe long BlockOffset(int block) => (long)_blockOffsets[block] * DataBlockHeader.Alignment;

    /// <summary>The copy of a block's first line.</summary>
    public readonly unsafe byte* Line(int block) => _lines + (long)block * DataBlockHeader.HeadsOffset;

    /// <summary>Prefetches a block's line and offset.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly unsafe void Prefetch(int block)
    {
        Memory.Prefetch.Line(Line(block));
        Memory.Prefetch.Line(_blockOffsets + block);
    }

    /// <summary>The only block that can hold a key inside the table's range.</summary>
    // SAFETY: a rank is at most the node's validated count, so each step leads to a node of the next level.
    public readonly unsafe int Find(ReadOnlySpan<byte> key)
    {
        long node = 0;
        for (var level = _levels - 1; level >= 0; level--)
        {
            var address = (byte*)_levelAddresses[level] + node * TableIndexShape.NodeBytes;
            int count = address[TableIndexShape.NodeCountOffset];
            var head = KeyHead.Of(key, *(ushort*)(address + TableIndexShape.NodePrefixOffset));
            var rank = BitOperations.PopCount(HeadSearch.Below((ulong*)address, count, head));
            if (rank < count && ((ulong*)address)[rank] == head)
                rank = RankAmongEqual(key, level, node, rank, count, head);
            node = node * TableIndexShape.Fanout + rank;
        }
        return (int)node;
    }

    // SAFETY: validation has checked that separator offsets ascend and end inside the region.
    public readonly unsafe ReadOnlySpan<byte> Separator(long separator)
    {
        var begin = _separatorOffsets[separator];
        return new ReadOnlySpan<byte>(_separators + begin, (int)(_separatorOffsets[separator + 1] - begin));
    }

    // SAFETY: reads heads of the node below its validated count.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private readonly unsafe int RankAmongEqual(
        ReadOnlySpan<byte> key, int level, long node, int rank, int count, ulong head)
    {
        var heads = (ulong*)((byte*)_levelAddresses[level] + node * TableIndexShape.NodeBytes);
        while (rank < count && heads[rank] == head
            && Separator(TableIndexShape.SeparatorAt(level, node, rank)).SequenceCompareTo(key) <= 0)
            rank++;
        return rank;
    }
}
