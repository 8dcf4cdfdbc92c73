using System.Runtime.CompilerServices;

namespace Varve.Tables;

/// <summary>
/// <see cref="Find"/> in steps. Each step prefetches the memory that the next one reads. A caller with many keys takes
/// one step for all of them before the next step, after <see cref="PrefetchFilter"/> for all: then their misses
/// overlap.
/// </summary>
internal sealed partial class Table
{
    /// <summary>The only block that can hold a key; -1 if the key is not in the table.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int FindBlock(ReadOnlySpan<byte> key, ulong hash)
    {
        int number;
        if (!MayContain(hash) || (number = BlockOf(key)) < 0) return -1;
        _index.Prefetch(number);
        return number;
    }

    /// <summary>The rows of that block that can be the key's, as bits; 0 if the key is not in the table.</summary>
    // SAFETY: reads the block's line in the validated index. The block itself, not yet checked, is only prefetched.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public unsafe ulong FindCandidates(int block, ulong hash)
    {
        var line = _index.Line(block);
        var candidates = DataBlockView.Candidates(line, hash);
        if (candidates == 0) return 0;
        if (_residency is not null) BeginReading(block);
        new DataBlockView(line, _data + _index.BlockOffset(block)).Prefetch(candidates);
        return candidates;
    }

    /// <summary>The row of the key among the candidates; the default value if it is not among them.</summary>
    /// <exception cref="CorruptionException">The block is damaged.</exception>
    // SAFETY: the block is checked before it is read.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public unsafe KeyVersion FindRow(int block, ReadOnlySpan<byte> key, ulong candidates)
    {
        EnsureReady(block);
        return DataBlockView.Find(_index.Line(block), _data + _index.BlockOffset(block), key, candidates);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void BeginReading(int block) =>
        _residency!.Begin(_index.BlockOffset(block), _index.BlockOffset(block + 1) - _index.BlockOffset(block));
}
