using System.Runtime.InteropServices;
using Varve.Format;
using Varve.Memory;

namespace Varve.Memtables;

/// <summary>
/// Builds a new index of operations that exist already: a replay has a whole segment of them. First the directory takes
/// the operations in their order, and memory is prefetched ahead of them. Then the list is built from the sorted rows,
/// without a search. If there are many rows, a thread of the pool sorts them meanwhile. One thread; no reader before
/// <see cref="Finish"/>.
/// </summary>
internal sealed class IndexBuild(MemtableIndex index, KeyHasher hasher) : IDisposable
{
    private const int Ahead = 16;
    private const int CapacityMin = 1024;
    private const int AsideMin = 16 << 10; // fewer rows are sorted here: that takes less than a thread's start

    // SAFETY: native memory for `_capacity` rows, of which `_count` are filled; this builder frees it.
    private unsafe BuildRow* _rows; // one an operation
    private RowsSortedAside? _aside; // the first rows, until one is dropped
    // SAFETY: native memory with a bit for each place in the segment where an operation can begin; freed with it.
    private unsafe ulong* _superseded; // a bit a reference: a newer operation of its key exists; null: of none
    private nuint _capacity;
    private int _count;
    private int _entered;
    private int _keys;

    /// <summary>Adds an operation of the segment; references ascend.</summary>
    // SAFETY: the rows grow before the one behind the last is written.
    public unsafe void Add(OperationRef reference)
    {
        if ((nuint)_count == _capacity)
        {
            _capacity = Math.Max(_capacity * 2, CapacityMin);
            _rows = (BuildRow*)NativeMemory.Realloc(_rows, checked(_capacity * (nuint)sizeof(BuildRow)));
        }

        var operation = index.OperationAt(reference);
        if (operation.Prior.IsNone) _keys++;
        _rows[_count++] = new BuildRow
        {
            Head = hasher.Of(operation.Key),
            Row = reference.Value,
            Anchor = reference.Value,
        };
    }

    /// <summary>
    /// Enters the added operations in the directory. If the prior version that an operation names is not the newest of
    /// its key, returns that operation, and drops it and all after it; returns none if all are right.
    /// </summary>
    // SAFETY: indices run below `_count`; the reference of a row names an operation of the segment.
    public unsafe OperationRef Enter()
    {
        if (_entered == 0)
        {
            index.Reserve(_keys);
            // Only if each operation is of another key: otherwise there are fewer rows than operations.
            if (_count >= AsideMin && _keys == _count && Environment.ProcessorCount > 1)
                _aside ??= new RowsSortedAside(
                    index.OperationAt(default).Start, new ReadOnlySpan<BuildRow>(_rows, _count));
        }

        for (; _entered < _count; _entered++)
        {
            if (_entered + Ahead < _count) PrefetchFor(_rows[_entered + Ahead]);
            var (hash, reference) = (_rows[_entered].Head, new OperationRef(_rows[_entered].Row));
            var operation = index.OperationAt(reference);
            if (index.Find(operation.Key, hash) != operation.Prior)
            {
                _count = _entered;
                DropAside();
                return reference;
            }

            if (!operation.Prior.IsNone) Supersede(operation.Prior.Value);
            index.InsertExact(reference, hash);
        }

        return default;
    }

    /// <summary>Builds the list of the entered operations.</summary>
    // SAFETY: `spare` has as many rows as are sorted, and is freed here; nobody else has the list.
    public unsafe void Finish()
    {
        var keys = KeepNewest();
        if (keys == 0) return;
        if (_aside is { } aside && aside.Count == _count)
        {
            var sorted = aside.Take(out var sharedAside);
            index.List.Build(sorted, keys, sharedAside);
            return;
        }

        var spare = (BuildRow*)NativeMemory.Alloc((nuint)keys * (nuint)sizeof(BuildRow));
        try
        {
            var shared = new RowSort(index.OperationAt(default).Start, spare).Sort(_rows, keys);
            index.List.Build(_rows, keys, shared);
        }
        finally
        {
            NativeMemory.Free(spare);
        }
    }

    // SAFETY: both pointers were allocated here or are null, and are dropped with their memory.
    public unsafe void Dispose()
    {
        DropAside();
        NativeMemory.Free(_rows);
        NativeMemory.Free(_superseded);
        _rows = null;
        _superseded = null;
    }

    private void DropAside()
    {
        _aside?.Dispose();
        _aside = null;
    }

    // SAFETY: the row names an operation of the segment; a prefetch touches nothing, wherever it points.
    private unsafe void PrefetchFor(in BuildRow row)
    {
        index.Prefetch(row.Head);
        var prior = index.OperationAt(new OperationRef(row.Row)).Prior;
        if (!prior.IsNone) Prefetch.Line(index.OperationAt(prior).Start); // a hint, wherever it points
    }

    // SAFETY: the bits cover every reference below the segment's length.
    private unsafe void Supersede(uint reference)
    {
        if (_superseded == null)
            _superseded = (ulong*)NativeMemory.AllocZeroed(
                (nuint)(((index.Memory.SegmentBytes / WalOperation.Alignment / 64) + 1) * sizeof(ulong)));
        _superseded[reference >> 6] |= 1UL << (int)(reference & 63);
    }

    // SAFETY: `kept` never passes `row`, which is below `_count`.
    private unsafe int KeepNewest()
    {
        if (_superseded == null) return _count;
        var kept = 0;
        for (var row = 0; row < _count; row++)
        {
            var reference = _rows[row].Row;
            if ((_superseded[reference >> 6] >> (int)(reference & 63) & 1) == 0) _rows[kept++] = _rows[row];
        }

        return kept;
    }
}
