using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Varve.Format;

namespace Varve.Tables;

/// <summary>Tables with ascending, disjoint key ranges: one version a key. A run of a higher order is newer.</summary>
internal sealed class Run
{
    private readonly Table[] _tables;
    private readonly byte[] _shared;
    private readonly ulong[] _fences;

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
        _shared = SmallestKey[..SmallestKey.AsSpan().CommonPrefixLength(LargestKey)];
        _fences = GC.AllocateUninitializedArray<ulong>(tables.Length + Vector512<ulong>.Count);
        for (var i = 0; i < tables.Length; i++)
            _fences[i] = KeyHead.Of(tables[i].Descriptor.LargestKey, _shared.Length);
        _fences.AsSpan(tables.Length).Fill(ulong.MaxValue);
    }

    public ulong Order { get; }

    /// <summary>At least one, in key order.</summary>
    public TableHandle[] Tables { get; }

    public long Rows { get; }

    public long Tombstones { get; }

    public long Bytes { get; }

    public byte[] SmallestKey => Tables[0].Descriptor.SmallestKey;

    public byte[] LargestKey => Tables[^1].Descriptor.LargestKey;

    /// <summary>The row of a key, whatever its kind; none where there is none.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public KeyVersion Find(ReadOnlySpan<byte> key, ulong hash) =>
        TableFor(key) is { } table ? table.Find(key, hash) : default;

    /// <summary>The only table that can hold a key, if there is one.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Table? TableFor(ReadOnlySpan<byte> key)
    {
        var all = _tables;
        if (all.Length == 1) return all[0];
        var at = IndexFor(key);
        return (uint)at < (uint)all.Length ? all[at] : null;
    }

    /// <summary>
    /// The only table that can hold a key; its index, or that of the first table above the key, which may be none.
    /// Nearly always by the heads of the tables' largest keys, and without a branch that depends on the key: which
    /// table it is cannot be predicted.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int IndexFor(ReadOnlySpan<byte> key)
    {
        if (_shared.Length != 0 && !key.StartsWith(_shared)) return IndexByKeys(key);
        var head = KeyHead.Of(key, _shared.Length);
        ref var fence = ref MemoryMarshal.GetArrayDataReference(_fences);
        int first = 0, count = _tables.Length;
        // Fewer are left then than the vector takes, which so has the fence that follows too.
        while (count >= Vector512<ulong>.Count)
        {
            var half = count >>> 1;
            first += half & -(Unsafe.Add(ref fence, first + half - 1) < head ? 1 : 0);
            count -= half;
        }

        var eight = Vector512.LoadUnsafe(ref Unsafe.Add(ref fence, first)); // eight more stand behind the last
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

    /// <summary>True when some key could be in both.</summary>
    public bool Overlaps(ReadOnlySpan<byte> smallest, ReadOnlySpan<byte> largest)
    {
        var at = IndexFor(smallest);
        return at < Tables.Length && Tables[at].Descriptor.SmallestKey.AsSpan().SequenceCompareTo(largest) <= 0;
    }
}
