using Varve.Format;

namespace Varve.Memtables;

/// <summary>
/// The part of a memtable that the count of live keys has folded, with its leased puts. Under the lock of the count.
/// </summary>
internal sealed class FoldState
{
    /// <summary>Offset of the next record to fold.</summary>
    public long NextRecord { get; set; } = WalSegmentHeader.Size;

    /// <summary>Leased puts of the folded part, by deadline.</summary>
    public SortedSet<(ulong Deadline, OperationRef Reference)> Leases { get; } = [];

    /// <summary>The live count at the memtable's end and the time it holds at; null until all is folded.</summary>
    public (long LiveCount, ulong TimeMs)? AtEnd { get; set; }

    /// <summary>True while no record is folded.</summary>
    public bool IsUntouched => NextRecord == WalSegmentHeader.Size;

    /// <summary>Records that the whole memtable is counted, by its rows.</summary>
    public void SetAll(
        IEnumerable<(ulong Deadline, OperationRef Reference)> leases, long end, (long LiveCount, ulong TimeMs) counted)
    {
        Leases.UnionWith(leases);
        NextRecord = end;
        AtEnd = counted;
    }

    /// <summary>Drops everything: the count begins again.</summary>
    public void Restart()
    {
        NextRecord = WalSegmentHeader.Size;
        Leases.Clear();
        AtEnd = null;
    }
}
