using Varve.Format;

namespace Varve.Tables;

/// <summary>
/// A walk over the leases of a table whose deadlines lie in an interval, by deadline. Not on a lease before the first
/// <see cref="MoveNext"/>. The memory it shows lives as long as the table, which the caller pins.
/// </summary>
internal struct LeaseCursor
{
    private readonly Table table;
    private readonly int end;
    private int next;
    private DataBlockView block;
    private TableLease lease;

    internal LeaseCursor(Table table, int begin, int end)
    {
        (this.table, next, this.end) = (table, begin, end);
    }

    /// <summary>Leases not walked yet.</summary>
    public readonly int Remaining => end - next;

    public readonly ulong Deadline => lease.Deadline;

    public readonly int KeyLength => block.KeyLength(lease.Row);

    public readonly TableRow Row => block.Row(lease.Row);

    /// <exception cref="CorruptionException">The lease's block is damaged, or has no such lease.</exception>
    public bool MoveNext()
    {
        if (next >= end)
            return false;
        lease = TableLeases.Read(table.LeaseRegion[(next++ * TableLeases.EntryBytes)..]);
        block = table.Block((int)lease.Block);
        if (lease.Row >= block.Count || block.Row(lease.Row) is not { Kind: RecordKind.LeasedPut } row || row.Deadline != lease.Deadline)
            throw table.LeaseMismatch(lease);
        return true;
    }

    /// <summary>Writes the key, <see cref="KeyLength"/> bytes.</summary>
    public readonly void CopyKeyTo(Span<byte> destination) => block.CopyKeyTo(lease.Row, destination);
}
