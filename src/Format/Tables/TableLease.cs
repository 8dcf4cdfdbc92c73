namespace Varve.Format;

/// <summary>A row with a deadline: where it is in its table.</summary>
internal readonly record struct TableLease(ulong Deadline, uint Block, byte Row) : IComparable<TableLease>
{
    public int CompareTo(TableLease other)
    {
        var order = Deadline.CompareTo(other.Deadline);
        if (order == 0) order = Block.CompareTo(other.Block);
        return order != 0 ? order : Row.CompareTo(other.Row);
    }
}
