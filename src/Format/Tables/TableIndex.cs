using System.Buffers.Binary;

namespace Varve.Format;

/// <summary>Writes and checks the index of a table; the layout is drawn at <see cref="TableIndexShape"/>.</summary>
internal static class TableIndex
{
    /// <summary>
    /// The shortest key above <paramref name="below"/> and not above <paramref name="notBelow"/>: what divides the two
    /// blocks that end and begin with them.
    /// </summary>
    public static ReadOnlySpan<byte> Separator(ReadOnlySpan<byte> below, ReadOnlySpan<byte> notBelow) =>
        notBelow[..(below.CommonPrefixLength(notBelow) + 1)];

    /// <summary>Bytes of the index for a number of blocks and of separator bytes.</summary>
    public static long Length(int blockCount, long separatorBytes) =>
        new TableIndexShape(blockCount).SeparatorsOffset + separatorBytes;

    /// <summary>
    /// Writes the index into a span of exactly <see cref="Length"/> bytes, from the first 64 bytes of each block, block
    /// count + 1 file offsets in units of 64 bytes, and block count offsets of separators: where each begins, and where
    /// the last one ends.
    /// </summary>
    public static void Encode(
        Span<byte> destination,
        ReadOnlySpan<byte> lines,
        ReadOnlySpan<uint> blockOffsets,
        ReadOnlySpan<uint> separatorOffsets,
        ReadOnlySpan<byte> separators,
        ReadOnlySpan<byte> smallestKey,
        ReadOnlySpan<byte> largestKey)
    {
        var shape = new TableIndexShape(blockOffsets.Length - 1);
        destination[..(int)shape.LinesOffset].Clear();
        lines.CopyTo(destination[(int)shape.LinesOffset..(int)shape.BlockOffsetsOffset]);
        BinaryPrimitives.WriteUInt64LittleEndian(destination, (ulong)shape.BlockCount);
        for (var level = 0; level < shape.Levels; level++)
        {
            for (long node = 0; node < shape.NodeCount(level); node++)
            {
                long first = TableIndexShape.SeparatorAt(level, node, -1),
                    end = TableIndexShape.SeparatorAt(level, node, TableIndexShape.Fanout - 1);
                var low = first < 0 ? smallestKey : SeparatorOf(first, separatorOffsets, separators);
                var high = end >= shape.BlockCount - 1 ? largestKey : SeparatorOf(end, separatorOffsets, separators);
                var target = destination.Slice(
                    (int)(shape.LevelOffset(level) + node * TableIndexShape.NodeBytes), TableIndexShape.NodeBytes);
                int prefix = low.CommonPrefixLength(high), used = shape.SeparatorsIn(level, node);
                for (var slot = 0; slot < used; slot++)
                {
                    var separator = SeparatorOf(
                        TableIndexShape.SeparatorAt(level, node, slot), separatorOffsets, separators);
                    BinaryPrimitives.WriteUInt64LittleEndian(target[(8 * slot)..], KeyHead.Of(separator, prefix));
                }
                BinaryPrimitives.WriteUInt16LittleEndian(target[TableIndexShape.NodePrefixOffset..], (ushort)prefix);
                target[TableIndexShape.NodeCountOffset] = (byte)used;
            }
        }

        for (var i = 0; i < blockOffsets.Length; i++)
            BinaryPrimitives.WriteUInt32LittleEndian(
                destination[(int)(shape.BlockOffsetsOffset + 4L * i)..], blockOffsets[i]);
        for (var i = 0; i < separatorOffsets.Length; i++)
            BinaryPrimitives.WriteUInt32LittleEndian(
                destination[(int)(shape.SeparatorOffsetsOffset + 4L * i)..], separatorOffsets[i]);
        separators.CopyTo(destination[(int)shape.SeparatorsOffset..]);
    }

    /// <summary>
    /// Checks an index against the length of the data region: after success every node, block and separator that a
    /// reader reaches by the shape is in bounds, and blocks cover the data region without a gap.
    /// </summary>
    public static bool TryValidate(
        ReadOnlySpan<byte> index, long dataLength, out TableIndexShape? shape, out DecodeError error)
    {
        shape = null;
        if (index.Length < TableIndexShape.HeaderBytes) return Fail(0, "table index", "is cut off", out error);
        var blockCount = BinaryPrimitives.ReadUInt64LittleEndian(index);
        if (blockCount is 0 or > TableIndexShape.BlocksMax
            || index[8..TableIndexShape.HeaderBytes].ContainsAnyExcept((byte)0))
            return Fail(0, "block count", "is out of range", out error);
        var candidate = new TableIndexShape((int)blockCount);
        if (candidate.SeparatorsOffset > index.Length)
            return Fail(0, "table index", "is too short for its blocks", out error);
        if (!TryValidateNodes(index, candidate, out error)
            || !TryValidateBlocks(index, candidate, dataLength, out error)
            || !TryValidateSeparators(index, candidate, out error))
            return false;
        shape = candidate;
        return true;
    }

    private static bool TryValidateNodes(ReadOnlySpan<byte> index, TableIndexShape shape, out DecodeError error)
    {
        for (var level = 0; level < shape.Levels; level++)
        {
            for (long node = 0; node < shape.NodeCount(level); node++)
            {
                var at = (int)(shape.LevelOffset(level) + node * TableIndexShape.NodeBytes);
                if (index[at + TableIndexShape.NodeCountOffset] != shape.SeparatorsIn(level, node))
                    return Fail(
                        at + TableIndexShape.NodeCountOffset, "node", "has a wrong number of separators", out error);
            }
        }
        error = default;
        return true;
    }

    private static bool TryValidateBlocks(
        ReadOnlySpan<byte> index, TableIndexShape shape, long dataLength, out DecodeError error)
    {
        long previous = 0;
        for (var i = 0; i <= shape.BlockCount; i++)
        {
            var at = (int)(shape.BlockOffsetsOffset + 4L * i);
            var offset = (long)BinaryPrimitives.ReadUInt32LittleEndian(index[at..]) * DataBlockHeader.Alignment;
            var extent = offset - previous;
            if (i == 0 ? offset != 0 : extent < 2 * DataBlockHeader.Alignment || extent > int.MaxValue)
                return Fail(at, "block offsets", "are not ascending", out error);
            previous = offset;
        }
        if (previous != dataLength)
            return Fail(shape.SeparatorOffsetsOffset - 4, "blocks", "do not cover the data region", out error);
        error = default;
        return true;
    }

    private static bool TryValidateSeparators(ReadOnlySpan<byte> index, TableIndexShape shape, out DecodeError error)
    {
        long previous = 0;
        for (var i = 0; i < shape.BlockCount; i++)
        {
            var at = (int)(shape.SeparatorOffsetsOffset + 4L * i);
            long offset = BinaryPrimitives.ReadUInt32LittleEndian(index[at..]);
            if (i == 0 ? offset != 0 : offset <= previous || offset - previous > ushort.MaxValue)
                return Fail(at, "separator offsets", "are not ascending", out error);
            previous = offset;
        }
        if (shape.SeparatorsOffset + previous != index.Length)
            return Fail(shape.SeparatorsOffset, "separators", "do not end with the index", out error);
        error = default;
        return true;
    }

    private static ReadOnlySpan<byte> SeparatorOf(
        long separator, ReadOnlySpan<uint> offsets, ReadOnlySpan<byte> separators)
    {
        var begin = (int)offsets[(int)separator];
        return separators[begin..(int)offsets[(int)separator + 1]];
    }

    private static bool Fail(long offset, string field, string problem, out DecodeError error)
    {
        error = new DecodeError(offset, field, problem);
        return false;
    }
}
