using System.Runtime.CompilerServices;
using Varve.Tables;

namespace Varve.Versions;

/// <summary>Tables with ascending, disjoint key ranges: one version a key. A run of a higher order is newer.</summary>
internal sealed class Run
{
    private readonly Table? _only;

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

        if (tables.Length == 1) _only = tables[0].Table;
    }

    public ulong Order { get; }

    /// <summary>At least one, in key order.</summary>
    public TableHandle[] Tables { get; }

    public long Rows { get; }

    public long Tombstones { get; }

    public long Bytes { get; }

    public byte[] SmallestKey => Tables[0].Descriptor.SmallestKey;

    public byte[] LargestKey => Tables[^1].Descriptor.LargestKey;

    /// <summary>The only table that can hold a key, if there is one.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Table? TableFor(ReadOnlySpan<byte> key) => _only ?? TableAmong(key);

    /// <summary>The only table that can hold a key; its index, or that of the first table above the key, which may be none.</summary>
    public int IndexFor(ReadOnlySpan<byte> key)
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

    private Table? TableAmong(ReadOnlySpan<byte> key)
    {
        var at = IndexFor(key);
        return at < Tables.Length ? Tables[at].Table : null;
    }

    /// <summary>True when some key could be in both.</summary>
    public bool Overlaps(ReadOnlySpan<byte> smallest, ReadOnlySpan<byte> largest)
    {
        var at = IndexFor(smallest);
        return at < Tables.Length && Tables[at].Descriptor.SmallestKey.AsSpan().SequenceCompareTo(largest) <= 0;
    }
}
