namespace Varve.Format;

/// <summary>
/// The layout of a table's index, computed from the number of blocks alone. The index is a static search
/// tree: a node of two cache lines has 15 separators and 16 children, the children of node n are the nodes 16 n to
/// 16 n + 15 one level down, and the children of a leaf are blocks. Separator s divides block s (below it) from block
/// s + 1 (not below it) and stands in exactly one node.
/// <code>
///   0  u64  block count
///   8  0 ..
///  64  nodes, the root's level first, the leaves' last; each:
///        0  u64[15]  heads of the separators, after the node's prefix; unused: 0
///      120  u16      prefix length: bytes that every key sought in this node begins with
///      122  u8       separators in use
///      123  0 ..
///      u8[64][block count]   the first line of every block, again: header and tags of all blocks stay in the cache
///      u32[block count + 1]  where blocks begin in the file, in units of 64 bytes, and where the last ends
///      u32[block count]      where separators begin in the bytes below, and where the last ends
///      u8[]                  the separators, whole
/// </code>
/// </summary>
internal sealed class TableIndexShape
{
    public const int HeaderBytes = 64;
    public const int NodeBytes = 128;
    public const int Fanout = 16;
    public const int NodePrefixOffset = 120;
    public const int NodeCountOffset = 122;

    /// <summary>Most blocks in a table; the tree has at most six levels.</summary>
    public const int BlocksMax = 1 << 24;

    private readonly long[] _nodeCounts;
    private readonly long[] _levelOffsets;

    public TableIndexShape(int blockCount)
    {
        BlockCount = blockCount;
        var counts = new List<long>();
        for (long n = blockCount; counts.Count == 0 || n > 1;)
            counts.Add(n = (n + Fanout - 1) / Fanout);
        _nodeCounts = [.. counts];
        _levelOffsets = new long[_nodeCounts.Length];
        long at = HeaderBytes;
        for (var level = _nodeCounts.Length - 1; level >= 0; level--)
        {
            _levelOffsets[level] = at;
            at += _nodeCounts[level] * NodeBytes;
        }
        LinesOffset = at;
        BlockOffsetsOffset = at + (long)DataBlockHeader.HeadsOffset * blockCount;
        SeparatorOffsetsOffset = BlockOffsetsOffset + 4L * (blockCount + 1);
        SeparatorsOffset = SeparatorOffsetsOffset + 4L * blockCount;
    }

    public int BlockCount { get; }

    /// <summary>Levels of nodes; level 0 is the leaves'.</summary>
    public int Levels => _nodeCounts.Length;

    /// <summary>Offset of the copies of the blocks' first lines.</summary>
    public long LinesOffset { get; }

    public long BlockOffsetsOffset { get; }

    public long SeparatorOffsetsOffset { get; }

    public long SeparatorsOffset { get; }

    public long NodeCount(int level) => _nodeCounts[level];

    public long LevelOffset(int level) => _levelOffsets[level];

    /// <summary>
    /// The separator in a slot of a node; at least <see cref="BlockCount"/> - 1 when the slot is unused.
    /// </summary>
    public static long SeparatorAt(int level, long node, int slot) => (node * Fanout + slot + 1 << 4 * level) - 1;

    /// <summary>Separators in use in a node.</summary>
    public int SeparatorsIn(int level, long node)
    {
        var used = 0;
        while (used < Fanout - 1 && SeparatorAt(level, node, used) < BlockCount - 1)
            used++;
        return used;
    }
}
