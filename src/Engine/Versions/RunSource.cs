using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using Varve.Format;
using Varve.Memory;
using Varve.Tables;

namespace Varve.Versions;

/// <summary>
/// A run's rows: its tables one after the other. Keys are put together from their parts into a buffer of its own.
/// <para>
/// While a run leads a merge it moves inside a <b>window</b>: rows of one block of which it is known that they come before whatever
/// stands in the other sources. A step inside the window is a comparison of two numbers and a copy of the key.
/// </para>
/// </summary>
internal sealed unsafe class RunSource : Source, IDisposable
{
    private const int KeySlack = 16;
    private const int RowsAhead = 12;      // at full speed, as long as a line takes to come from memory
    private readonly NativeBuffer _key = new();
    private TableHandle[] _tables = [];
    private Run? _run;
    private TableCursor _cursor;
    private int _table;
    private int _prepared;
    private FixedBytes _limit;
    private int _shared;
    private nint _prefix;
    private int _step = 1;

    // The window: rows, and in a block of uniform puts where their parts are.
    private uint _row;
    private uint _windowFirst;
    private uint _windowCount;
    private uint _rowBytes;
    private uint _tail;
    private long _ahead;
    private ulong* _heads;
    private byte* _rows;
    private byte* _keyRest;

    public void Open(Run run)
    {
        IsValid = false;
        _windowCount = 0;
        if (_run == run) return;
        _run = run;
        _tables = run.Tables;
    }

    public void Close()
    {
        _run = null;
        _tables = [];
        _cursor = default;
        IsValid = false;
        _windowCount = 0;
    }

    public override void Begin(bool backward, FixedBytes limit, int shared)
    {
        (_step, _limit, _shared) = (backward ? -1 : 1, limit, shared);
        _prefix = 0;
        _windowCount = 0;
    }

    public override void SeekFirst()
    {
        Enter(0);
        Settle(_cursor.SeekFirst());
    }

    public override void SeekLast()
    {
        Enter(_tables.Length - 1);
        Settle(_cursor.SeekLast());
    }

    public override void Prepare(ReadOnlySpan<byte> key)
    {
        var at = _tables.Length == 1 ? 0 : _run!.IndexFor(key);
        Enter(Math.Min(at, _tables.Length - 1));
        _prepared = _cursor.Prepare(key);
    }

    public override void Seek(ReadOnlySpan<byte> key) => Settle(_cursor.Seek(key, _prepared));

    public override void SeekBefore(ReadOnlySpan<byte> key) => Settle(_cursor.SeekBefore(key, _prepared));

    public override void Step()
    {
        if (_windowCount != 0) _cursor.GoTo((int)_row);
        _windowCount = 0;
        Settle(_step > 0 ? _cursor.MoveNext() : _cursor.MovePrevious());
    }

    /// <summary>Goes one row further inside the window; false, and nothing done, at its end. The head is not kept up to date.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool TryStepInWindow()
    {
        var row = _row + (uint)_step;
        if (row - _windowFirst >= _windowCount) return false;
        _row = row;
        if (_rows != null)
        {
            var begin = _rows + (ulong)_rowBytes * row;
            Prefetch.Line(begin + _ahead);
            Unsafe.WriteUnaligned(_keyRest, BinaryPrimitives.ReverseEndianness(_heads[row]));
            Unsafe.WriteUnaligned(_keyRest + KeyHead.Bytes, Unsafe.ReadUnaligned<ulong>(begin));
            ValueAddress = begin + _tail;
            return true;
        }

        TakeInWindow();
        return true;
    }

    /// <summary>
    /// Opens a window over the rows of the block, or those of them that come before another source's row. False when the row on which the
    /// source stands is not surely one of them.
    /// </summary>
    public bool TryOpenWindow(Source? before)
    {
        int first = _cursor.Begin, end = _cursor.End;
        var block = _cursor.Block;
        if (before is not null)
        {
            // Backward the row at the bound may have the same key.
            if (_step > 0) end = Math.Min(end, block.LowerBound(before.Key));
            else first = Math.Max(first, block.LowerBound(before.Key) + 1);
        }

        _row = (uint)_cursor.RowNumber;
        if (_row < first || _row >= end) return false;
        _windowFirst = (uint)first;
        _windowCount = (uint)(end - first);
        _rows = block.UniformRows(out _heads, out _rowBytes, out _tail);
        _keyRest = _key.Address + block.PrefixLength;
        _ahead = (long)_rowBytes * RowsAhead * _step;
        return true;
    }

    public void Dispose() => _key.Dispose();

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void TakeInWindow()
    {
        _cursor.GoTo((int)_row);
        TakeRow();
    }

    private void Enter(int table)
    {
        _table = table;
        _cursor = new TableCursor(_tables[table].Table);
        if (_limit.Length == 0) return;
        if (_step > 0) _cursor.LimitAbove(_limit);
        else _cursor.LimitBelow(_limit);
    }

    private void Settle(bool found)
    {
        while (!found && !_cursor.IsLimited && (uint)(_table + _step) < (uint)_tables.Length)
        {
            Enter(_table + _step);
            found = _step > 0 ? _cursor.SeekFirst() : _cursor.SeekLast();
        }

        IsValid = found;
        if (!found) return;
        if (_prefix != _cursor.PrefixToken) _cursor.Block.PrefetchRows(_cursor.RowNumber, _step > 0 ? Math.Min(_cursor.End, _cursor.RowNumber + RowsAhead) : Math.Max(_cursor.Begin, _cursor.RowNumber - RowsAhead));
        TakeRow();
        if (!IsAlone) Head = _cursor.HeadAfter(_shared);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void TakeRow()
    {
        var length = _cursor.KeyLength;
        if (_key.Capacity < length + KeySlack)
        {
            _key.Reserve(length + KeySlack);
            _prefix = 0;
        }

        KeyAddress = _key.Address;
        KeyLength = _cursor.CopyKeyTo(_key.Address, ref _prefix);
        var row = _cursor.Row;
        ValueAddress = row.ValueAddress;
        ValueLength = row.ValueLength;
        Kind = row.Kind;
    }
}
