using System.Numerics;
using System.Runtime.CompilerServices;
using Varve.Format;

namespace Varve.Tables;

/// <summary>
/// Finds the block of a key in a validated, mapped index (<see cref="TableIndexShape"/>). The pointers live as long as
/// the table's mapping.
/// </summary>
internal unsafe struct TableIndexReader
{
    private const int LevelsMax = 8;

    private readonly int _levels;
    private readonly byte* _lines;
    private readonly uint* _blockOffsets;
    private readonly uint* _separatorOffsets;
    private readonly byte* _separators;
    private fixed long _levelAddresses[LevelsMax];

    public TableIndexReader(byte* index, TableIndexShape shape)
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

    /// <summary>Where a block begins in the file; for the block count, where the last one ends.</summary>
    public readonly long BlockOffset(int block) => (long)_blockOffsets[block] * DataBlockHeader.Alignment;

    /// <summary>The copy of a block's first line.</summary>
    public readonly byte* Line(int block) => _lines + (long)block * DataBlockHeader.HeadsOffset;

    /// <summary>Asks for a block's line and offset.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly void Prefetch(int block)
    {
        Memory.Prefetch.Line(Line(block));
        Memory.Prefetch.Line(_blockOffsets + block);
    }

    /// <summary>The only block that can hold a key which is inside the table's range.</summary>
    public readonly int Find(ReadOnlySpan<byte> key)
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

    public readonly ReadOnlySpan<byte> Separator(long separator)
    {
        var begin = _separatorOffsets[separator];
        return new ReadOnlySpan<byte>(_separators + begin, (int)(_separatorOffsets[separator + 1] - begin));
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private readonly int RankAmongEqual(ReadOnlySpan<byte> key, int level, long node, int rank, int count, ulong head)
    {
        var heads = (ulong*)((byte*)_levelAddresses[level] + node * TableIndexShape.NodeBytes);
        while (rank < count && heads[rank] == head
            && Separator(TableIndexShape.SeparatorAt(level, node, rank)).SequenceCompareTo(key) <= 0)
            rank++;
        return rank;
    }
}
