using Varve.Format;
using Varve.Memory;

namespace Varve.Memtables;

/// <summary>
/// Gives the rows of a sealed memtable to a flush, in the order of their keys, each with its newest version. The caller
/// has a reference to the memtable.
/// </summary>
internal sealed class FlushIterator(Memtable memtable, KeyHasher hasher)
{
    private SealedWalk _walk = new(memtable.Index);

    /// <summary>The leased puts met so far.</summary>
    public List<(ulong Deadline, OperationRef Reference)> Leases { get; } = [];

    /// <summary>Copies the next rows, as many as fit, and returns their number; 0 at the end.</summary>
    // SAFETY: `count` is below the length of `rows`; a reference of the walk names an operation of the segment.
    public unsafe int CopyTo(Span<RowRef> rows)
    {
        var count = 0;
        while (count < rows.Length && _walk.Next() is { IsNone: false } reference)
        {
            var row = RowOf(memtable.Index.OperationAt(reference));
            if (row.Kind == RecordKind.LeasedPut) Leases.Add((row.Deadline, reference));
            rows[count++] = row;
        }

        return count;
    }

    // SAFETY: the caller has a reference to the memtable, whose segment holds key and value of the operation.
    private unsafe RowRef RowOf(WalOperationView view)
    {
        var key = view.KeyAddress;
        return new RowRef(
            key, view.KeyLength, hasher.Of(view.Key), view.Kind, view.Kind == RecordKind.LeasedPut ? view.Deadline : 0,
            key + view.KeyLength, view.ValueLength);
    }
}
