using Varve.Format;

namespace Varve.Tables;

/// <summary>
/// Walks the leases of a table whose deadlines lie in an interval, in the order of their deadlines. It stands on no
/// lease before the first <see cref="MoveNext"/>. Its rows live as long as the table, which the caller pins.
/// </summary>
internal struct LeaseCursor
{
    private readonly Table _table;
    private readonly int _end;
    private int _next;
    private DataBlockView _block;
    private TableLease _lease;

    internal LeaseCursor(Table table, int begin, int end)
    {
        (_table, _next, _end) = (table, begin, end);
    }

    /// <summary>Leases that the walk has not reached.</summary>
    public readonly int Remaining => _end - _next;

    public readonly ulong Deadline => _lease.Deadline;

    public readonly int KeyLength => _block.KeyLength(_lease.Row);

    public readonly KeyVersion Row => _block.Row(_lease.Row);

    /// <exception cref="CorruptionException">The lease's block is damaged or has no such lease.</exception>
    public bool MoveNext()
    {
        if (_next >= _end) return false;
        _lease = TableLeases.Read(_table.LeaseRegion[(_next++ * TableLeases.EntryBytes)..]);
        _block = _table.Block((int)_lease.Block);
        if (_lease.Row >= _block.Count || _block.Row(_lease.Row) is not { Kind: RecordKind.LeasedPut } row
            || row.Deadline != _lease.Deadline)
            throw _table.LeaseMismatch(_lease);
        return true;
    }

    /// <summary>Writes the key, <see cref="KeyLength"/> bytes.</summary>
    public readonly void CopyKeyTo(Span<byte> destination) => _block.CopyKeyTo(_lease.Row, destination);
}
