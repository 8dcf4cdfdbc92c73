using System.Runtime.CompilerServices;
using Varve.Format;
using Varve.Memory;
using Varve.Tables;

namespace Varve.Iterators;

/// <summary>
/// A run as an input of a scan's merge: its tables one after the other. Keys are put together in a buffer of its own.
/// <para>
/// While a run leads a merge it moves inside a <b>window</b>: rows of one block that all come before the row of every
/// other input. A step inside the window is one comparison of two numbers and a copy of the key.
/// </para>
/// </summary>
internal sealed class RunIterator : MergeInput, IDisposable
{
    private Run? _run;
    private TableCursor _cursor;
    private int _table;
    private int _preparedBlock;
    private FixedBytes _limit;
    private int _step = 1; // -1 in a backward scan
    private uint _row; // the cursor's own row number is behind it inside a block
    private RowWindow _window;
    private ScanBlock _block;
    private KeyBuffer _key = new();

    public void Open(Run run)
    {
        IsValid = false;
        _window.Empty();
        if (_run != run) _run = run;
    }

    /// <summary>Drops the references to the run and its tables.</summary>
    public void Release()
    {
        _run = null;
        _cursor = default;
        IsValid = false;
        _window.Empty();
        _block.Leave();
    }

    public override void Begin(bool backward, FixedBytes limit, int prefixLength)
    {
        (_step, _limit, PrefixLength) = (backward ? -1 : 1, limit, prefixLength);
        _key.DropPrefix();
        _window.Empty();
        _block.Leave();
    }

    public override void SeekFirst()
    {
        EnterTable(0);
        SetRow(_cursor.SeekFirst());
    }

    public override void SeekLast()
    {
        EnterTable(_run!.Tables.Length - 1);
        SetRow(_cursor.SeekLast());
    }

    public override void Prepare(ReadOnlySpan<byte> key)
    {
        var tables = _run!.Tables.Length;
        EnterTable(tables == 1 ? 0 : Math.Min(_run.IndexFor(key), tables - 1));
        _preparedBlock = _cursor.Prepare(key);
    }

    public override void Seek(ReadOnlySpan<byte> key) => SetRow(_cursor.Seek(key, _preparedBlock));

    public override void SeekBefore(ReadOnlySpan<byte> key) => SetRow(_cursor.SeekBefore(key, _preparedBlock));

    public override void Arrive()
    {
        if (IsValid) ReadRow();
    }

    public override void Step()
    {
        _window.Empty();
        var row = _row + (uint)_step;
        if (_block.HasHeads && _block.InBounds.Contains(row))
        {
            ReadUniformRow(row);
            Head = _block.HeadOf(row);
            return;
        }

        StepSlowly();
    }

    /// <summary>
    /// Steps one row further inside the window. At its end returns false and does nothing. Leaves the head as it was.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool TryStepInWindow()
    {
        var row = _row + (uint)_step;
        if (!_window.Contains(row)) return false;
        if (_block.IsUniform) ReadUniformRow(row);
        else ReadRowOfWindow(row);
        return true;
    }

    /// <summary>
    /// Opens a window over those rows of the block that come before another input's row, or over all if there is no
    /// other. Returns false if it cannot tell that the current row is one of them.
    /// </summary>
    public bool TryOpenWindow(MergeInput? before)
    {
        uint first = _block.InBounds.First, end = _block.InBounds.End;
        if (before is not null)
        {
            // In a backward scan the row at the bound may have the same key.
            var bound = (uint)_cursor.Block.LowerBound(before.Key);
            if (_step > 0) end = Math.Min(end, bound);
            else first = Math.Max(first, bound + 1);
        }

        if (_row < first || _row >= end) return false;
        _window.Open(first, end);
        return true;
    }

    public void Dispose() => _key.Dispose();

    protected override ulong HeadBehindHead() =>
        _block.HasHeads ? _block.HeadBehindHeadOf(_row) : KeyHead.Of(Key, PrefixLength + KeyHead.Bytes);

    // SAFETY: the row is in the bounds of a uniform block. ReadRow has read a row of this block before, so the key
    // buffer has room for sixteen bytes behind the prefix, and key length, value length and kind stay the same.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private unsafe void ReadUniformRow(uint row)
    {
        _row = row;
        ValueAddress = _block.ReadKeyTail(row, _key.AfterPrefix);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void ReadRowOfWindow(uint row)
    {
        _row = row;
        _cursor.GoTo((int)row);
        ReadRow();
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void StepSlowly()
    {
        _cursor.GoTo((int)_row);
        SetRow(_step > 0 ? _cursor.MoveNext() : _cursor.MovePrevious());
        Arrive();
    }

    private void EnterTable(int table)
    {
        _table = table;
        _cursor = new TableCursor(_run!.Tables[table].Table);
        if (_limit.Length == 0) return;
        if (_step > 0) _cursor.LimitAbove(_limit);
        else _cursor.LimitBelow(_limit);
    }

    /// <summary>
    /// Takes the cursor's row, or the first row of the next table that has one in bounds. Prefetches the row and reads
    /// nothing of it.
    /// </summary>
    private void SetRow(bool found)
    {
        while (!found && !_cursor.IsLimited && (uint)(_table + _step) < (uint)_run!.Tables.Length)
        {
            EnterTable(_table + _step);
            found = _step > 0 ? _cursor.SeekFirst() : _cursor.SeekLast();
        }

        IsValid = found;
        if (!found) return;
        _row = (uint)_cursor.RowNumber;
        if (!_key.HasPrefixOf(_cursor)) _block.Enter(_cursor, _step, PrefixLength);
    }

    // SAFETY: key and value addresses are of the key buffer, which this owns, and of the table, which the version
    // keeps.
    private unsafe void ReadRow()
    {
        KeyLength = _key.Read(_cursor);
        KeyAddress = _key.Address;
        var row = _cursor.Row;
        ValueAddress = row.ValueAddress;
        ValueLength = row.ValueLength;
        Kind = row.Kind;
        Head = _cursor.HeadAfter(PrefixLength);
    }
}
