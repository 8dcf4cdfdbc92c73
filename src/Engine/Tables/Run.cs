using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Varve.Format;

namespace Varve.Tables;

/// <summary>
/// Tables with ascending, disjoint key ranges, so one version of a key (I9). A run of a higher order is newer.
/// </summary>
internal sealed class Run
{
    private readonly Table[] _tables;
    private readonly byte[] _prefix; // of all keys of the run
    private readonly ulong[] _fences; // heads of the tables' largest keys, and a vector more

    public Run(ulong order, TableHandle[] tables)
    {
        Order = order;
        Tables = tables;
        foreach (var table in tables)
        {
            Rows += table.Descriptor.RowCount;
            Tombstones += table.Descriptor.TombstoneCount;
            Bytes += table.Descriptor.Length;
        }

        _tables = [.. tables.Select(table => table.Table)];
        _prefix = SmallestKey[..SmallestKey.AsSpan().CommonPrefixLength(LargestKey)];
        _fences = GC.AllocateUninitializedArray<ulong>(tables.Length + Vector512<ulong>.Count);
        for (var i = 0; i < tables.Length; i++)
            _fences[i] = KeyHead.Of(tables[i].Descriptor.LargestKey, _prefix.Length);
        _fences.AsSpan(tables.Length).Fill(ulong.MaxValue);
    }

    public ulong Order { get; }

    /// <summary>At least one table, in key order.</summary>
    public TableHandle[] Tables { get; }

    public long Rows { get; }

    public long Tombstones { get; }

    public long Bytes { get; }

    public byte[] SmallestKey => Tables[0].Descriptor.SmallestKey;

    public byte[] LargestKey => Tables[^1].Descriptor.LargestKey;

    /// <summary>The row of a key, of whatever kind; the default value if there is none.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public KeyVersion Find(ReadOnlySpan<byte> key, ulong hash) =>
        TableFor(key) is { } table ? table.Find(key, hash) : default;

    /// <summary>The only table that can hold a key; null if there is none.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Table? TableFor(ReadOnlySpan<byte> key)
    {
        var all = _tables;
        if (all.Length == 1) return all[0];
        var at = IndexFor(key);
        return (uint)at < (uint)all.Length ? all[at] : null;
    }

    /// <summary>
    /// The index of the only table that can hold a key, or else of the first table above the key, or else the number of
    /// tables. Compares the heads of the tables' largest keys without a branch on the result, which no processor
    /// predicts; it compares whole keys where heads are equal.
    /// </summary>
    // SAFETY: first + 7 is below tables + 8, the length of the fences, since count is below 8 after the loop and first
    // + count is at most the number of tables throughout.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int IndexFor(ReadOnlySpan<byte> key)
    {
        if (_prefix.Length != 0 && !key.StartsWith(_prefix)) return IndexByKeys(key);
        var head = KeyHead.Of(key, _prefix.Length);
        ref var fence = ref MemoryMarshal.GetArrayDataReference(_fences);
        int first = 0, count = _tables.Length;
        // Leaves fewer fences than a vector has lanes, so that the fence after them is in the vector too.
        while (count >= Vector512<ulong>.Count)
        {
            var half = count >>> 1;
            first += half & -(Unsafe.Add(ref fence, first + half - 1) < head ? 1 : 0);
            count -= half;
        }

        var eight = Vector512.LoadUnsafe(ref Unsafe.Add(ref fence, first));
        var isEqual = Vector512.EqualsAny(eight, Vector512.Create(head));
        return isEqual ? IndexByKeys(key) : first
            + BitOperations.PopCount(Vector512.LessThan(eight, Vector512.Create(head)).ExtractMostSignificantBits());
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private int IndexByKeys(ReadOnlySpan<byte> key)
    {
        int low = 0, high = Tables.Length;
        while (low < high)
        {
            var middle = (low + high) >>> 1;
            if (Tables[middle].Descriptor.LargestKey.AsSpan().SequenceCompareTo(key) < 0) low = middle + 1;
            else high = middle;
        }

        return low;
    }

    /// <summary>True if a key of this range can be in the run.</summary>
    public bool Overlaps(ReadOnlySpan<byte> smallest, ReadOnlySpan<byte> largest)
    {
        var at = IndexFor(smallest);
        return at < Tables.Length && Tables[at].Descriptor.SmallestKey.AsSpan().SequenceCompareTo(largest) <= 0;
    }
}
