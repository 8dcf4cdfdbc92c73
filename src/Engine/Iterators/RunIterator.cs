using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using Varve.Format;
using Varve.Memory;
using Varve.Tables;

namespace Varve.Iterators;

/// <summary>
/// A run's rows: its tables one after the other. Keys are put together from their parts into a buffer of its own.
/// <para>
/// While a run leads a merge it moves inside a <b>window</b>: rows of one block of which it is known that they come
/// before whatever stands in the other sources. A step inside the window is a comparison of two numbers and a copy of
/// the key.
/// </para>
/// </summary>
internal sealed unsafe class RunIterator : MergeInput, IDisposable
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
    private nint _prefix;
    private int _step = 1;

    // Where the source stands, and which rows of the block are the window.
    private uint _row;
    private uint _windowFirst;
    private uint _windowCount;

    // The block: its rows inside the limits, and when they are uniform puts, where their parts are.
    private uint _first;
    private uint _rowCount;
    private uint _rowBytes;
    private uint _tail;
    private long _ahead;
    private byte* _askable;
    private nuint _askableBytes;
    private ulong* _heads;
    private byte* _rows;
    private byte* _keyRest;
    private ulong _headBase;
    private int _headShift;
    private bool _hasHeads;

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
        (_windowCount, _rowCount) = (0, 0);
    }

    public override void Begin(bool backward, FixedBytes limit, int shared)
    {
        (_step, _limit, Shared) = (backward ? -1 : 1, limit, shared);
        _prefix = 0;
        (_windowCount, _rowCount) = (0, 0);
    }

    public override void SeekFirst()
    {
        Enter(0);
        Find(_cursor.SeekFirst());
    }

    public override void SeekLast()
    {
        Enter(_tables.Length - 1);
        Find(_cursor.SeekLast());
    }

    public override void Prepare(ReadOnlySpan<byte> key)
    {
        var at = _tables.Length == 1 ? 0 : _run!.IndexFor(key);
        Enter(Math.Min(at, _tables.Length - 1));
        _prepared = _cursor.Prepare(key);
    }

    public override void Seek(ReadOnlySpan<byte> key) => Find(_cursor.Seek(key, _prepared));

    public override void SeekBefore(ReadOnlySpan<byte> key) => Find(_cursor.SeekBefore(key, _prepared));

    public override void Arrive()
    {
        if (IsValid) TakeRow();
    }

    public override void Step()
    {
        _windowCount = 0;
        var row = _row + (uint)_step;
        if (_hasHeads && row - _first < _rowCount)
        {
            _row = row;
            TakeUniformRow();
            Head = _headBase | _heads[row] >> _headShift;
            return;
        }

        StepSlowly();
    }

    /// <summary>
    /// Goes one row further inside the window; false, and nothing done, at its end. The head is not kept up to date.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool TryStepInWindow()
    {
        var row = _row + (uint)_step;
        if (row - _windowFirst >= _windowCount) return false;
        _row = row;
        if (_rows != null) TakeUniformRow();
        else TakeInWindow();
        return true;
    }

    /// <summary>
    /// Opens a window over the rows of the block, or those of them that come before another source's row. False when
    /// the row on which the source stands is not surely one of them.
    /// </summary>
    public bool TryOpenWindow(MergeInput? before)
    {
        uint first = _first, end = _first + _rowCount;
        if (before is not null)
        {
            // Backward the row at the bound may have the same key.
            var bound = (uint)_cursor.Block.LowerBound(before.Key);
            if (_step > 0) end = Math.Min(end, bound);
            else first = Math.Max(first, bound + 1);
        }

        if (_row < first || _row >= end) return false;
        _windowFirst = first;
        _windowCount = end - first;
        return true;
    }

    public void Dispose() => _key.Dispose();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void TakeUniformRow()
    {
        var begin = _rows + (ulong)_rowBytes * _row;
        if ((nuint)(begin + _ahead - _askable) < _askableBytes) Prefetch.Line(begin + _ahead);
        Unsafe.WriteUnaligned(_keyRest, BinaryPrimitives.ReverseEndianness(_heads[_row]));
        Unsafe.WriteUnaligned(_keyRest + KeyHead.Bytes, Unsafe.ReadUnaligned<ulong>(begin));
        ValueAddress = begin + _tail;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void TakeInWindow()
    {
        _cursor.GoTo((int)_row);
        TakeRow();
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void StepSlowly()
    {
        _cursor.GoTo((int)_row);
        Find(_step > 0 ? _cursor.MoveNext() : _cursor.MovePrevious());
        Arrive();
    }

    protected override ulong HeadBehindHead()
    {
        if (!_hasHeads) return KeyHead.Of(Key, Shared + KeyHead.Bytes);
        var tail = BinaryPrimitives.ReverseEndianness(Unsafe.ReadUnaligned<ulong>(_rows + (ulong)_rowBytes * _row))
            & ~(ulong.MaxValue >> (int)(4 * _tail) >> (int)(4 * _tail));
        return (_heads[_row] << 1 << (63 - _headShift)) | tail >> _headShift;
    }

    private void Enter(int table)
    {
        _table = table;
        _cursor = new TableCursor(_tables[table].Table);
        if (_limit.Length == 0) return;
        if (_step > 0) _cursor.LimitAbove(_limit);
        else _cursor.LimitBelow(_limit);
    }

    /// <summary>
    /// Goes on to the next tables as long as nothing is found; asks for the row, and reads nothing of it.
    /// </summary>
    private void Find(bool found)
    {
        while (!found && !_cursor.IsLimited && (uint)(_table + _step) < (uint)_tables.Length)
        {
            Enter(_table + _step);
            found = _step > 0 ? _cursor.SeekFirst() : _cursor.SeekLast();
        }

        IsValid = found;
        if (!found) return;
        _row = (uint)_cursor.RowNumber;
        if (_prefix != _cursor.PrefixToken) EnterBlock();
    }

    private void EnterBlock()
    {
        var block = _cursor.Block;
        block.PrefetchRows(
            (int)_row,
            _step > 0 ? Math.Min(_cursor.End, (int)_row + RowsAhead) : Math.Max(_cursor.Begin, (int)_row - RowsAhead));
        _first = (uint)_cursor.Begin;
        _rowCount = (uint)(_cursor.End - _cursor.Begin);
        _rows = block.UniformRows(out _heads, out _rowBytes, out _tail);
        _hasHeads = _cursor.TryHeadsAfter(Shared, out _headBase, out _headShift) && _rows != null;
        _ahead = (long)_rowBytes * RowsAhead * _step;
        // What lies beyond the block is the next one, unless the limit is in this one.
        var isLimited = _cursor.IsLimitedHere && _rows != null;
        _askable = isLimited ? _rows + _rowBytes * (nuint)_first : null;
        _askableBytes = isLimited ? _rowBytes * (nuint)_rowCount : nuint.MaxValue;
    }

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
        _keyRest = _key.Address + _cursor.PrefixLength;
        var row = _cursor.Row;
        ValueAddress = row.ValueAddress;
        ValueLength = row.ValueLength;
        Kind = row.Kind;
        Head = _cursor.HeadAfter(Shared);
    }
}
