using System.Runtime.CompilerServices;
using Varve.Format;
using Varve.Memory;

namespace Varve.Tables;

/// <summary>
/// Walks one table forward or backward, over all of it or up to a limit. The cursor stands on a row once a seek returns
/// true. A move that returns false leaves it on no row, and only a seek can continue. The memory that it shows lives as
/// long as the table, which the caller pins. A plain value: a copy walks on its own. One thread at a time.
/// </summary>
/// <exception cref="CorruptionException">Any seek or move: a block that it enters is damaged.</exception>
internal struct TableCursor(Table table)
{
    private readonly Table _table = table;
    private DataBlockView _block;
    private BlockWindow _window;
    private ulong _prefixHead;
    private FixedBytes _limit;
    private int _firstBlock;
    private int _lastBlock = table.BlockCount - 1;
    private int _lowerBlock = -1;
    private int _upperBlock = -1;
    private int _blockNumber;
    private int _begin;
    private int _end;
    private int _row;
    private bool _isValid;

    public readonly bool IsValid => _isValid;

    public readonly int KeyLength => _block.KeyLength(_row);

    /// <summary>
    /// The number of first bytes that keys have in common while <see cref="PrefixToken"/> stays the same.
    /// </summary>
    public readonly int PrefixLength => _block.PrefixLength;

    /// <summary>Changes whenever the common prefix may have changed; never 0 on a row.</summary>
    // SAFETY: the address is a token here; nothing is read through it.
    public readonly unsafe nint PrefixToken => (nint)_block.Address;

    /// <summary>The first eight bytes of the key (<see cref="KeyHead"/>): unequal ones order the keys.</summary>
    public readonly ulong Head8
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => _block.PrefixLength < KeyHead.Bytes
            ? _prefixHead | _block.Head(_row) >> 8 * _block.PrefixLength
            : _prefixHead;
    }

    /// <summary>The row; its value lives as long as the table.</summary>
    public readonly KeyVersion Row
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => _block.Row(_row);
    }

    /// <summary>True if the limit is in this table or before it: the walk does not continue in another table.</summary>
    public readonly bool IsLimited => _lastBlock < 0 || _upperBlock >= 0 || _lowerBlock >= 0;

    /// <summary>True if the limit is in the cursor's block.</summary>
    internal readonly bool IsLimitedHere => _blockNumber == _upperBlock || _blockNumber == _lowerBlock;

    /// <summary>The cursor's block.</summary>
    internal readonly DataBlockView Block => _block;

    /// <summary>The number of the row in its block.</summary>
    internal readonly int RowNumber => _row;

    /// <summary>The first row of the block inside the limits.</summary>
    internal readonly int Begin => _begin;

    /// <summary>The row after the last one of the block inside the limits.</summary>
    internal readonly int End => _end;

    /// <summary>Leaves out all keys at or above a key, for a forward walk.</summary>
    public void LimitAbove(FixedBytes key)
    {
        var above = key.Span;
        var number = _table.BlockOf(above);
        if (number < 0 && above.SequenceCompareTo(_table.SmallestKey) > 0) return;
        (_limit, _lastBlock, _upperBlock) = (key, number, number);
    }

    /// <summary>Leaves out all keys below a key, for a backward walk.</summary>
    public void LimitBelow(FixedBytes key)
    {
        var below = key.Span;
        var number = _table.BlockOf(below);
        if (number < 0 && below.SequenceCompareTo(_table.LargestKey) > 0) _lastBlock = -1;
        if (number < 0) return;
        (_limit, _firstBlock, _lowerBlock) = (key, number, number);
    }

    public bool SeekFirst() => Enter(_firstBlock);

    public bool SeekLast() => EnterLast(_lastBlock);

    /// <summary>Moves to the first row whose key is not below a key.</summary>
    public bool Seek(ReadOnlySpan<byte> key) => Seek(key, _table.BlockOf(key));

    /// <summary>
    /// The first half of a seek to a key: finds the block, or -1 outside of the table's range, and prefetches the
    /// memory that the second half reads.
    /// </summary>
    public readonly int Prepare(ReadOnlySpan<byte> key)
    {
        var number = _table.BlockOf(key);
        if (number < 0) return number;
        _table.PrefetchHeads(number);
        var limitBlock = _upperBlock >= 0 ? _upperBlock : _lowerBlock;
        if (limitBlock == number + 1 || limitBlock == number - 1 && limitBlock >= 0) _table.PrefetchHeads(limitBlock);
        return number;
    }

    /// <summary>
    /// The second half of a seek, with the block that <see cref="Prepare"/> found for the key.
    /// </summary>
    public bool Seek(ReadOnlySpan<byte> key, int number)
    {
        if (number < 0) return key.SequenceCompareTo(_table.SmallestKey) <= 0 ? SeekFirst() : _isValid = false;
        if (!Enter(number)) return false;
        _row = Math.Max(_block.LowerBound(key), _begin);
        return _row < _end || Enter(number + 1);
    }

    /// <summary>Moves to the last row whose key is below a key.</summary>
    public bool SeekBefore(ReadOnlySpan<byte> key) => SeekBefore(key, _table.BlockOf(key));

    /// <summary>
    /// The second half of a seek before a key, with the block that <see cref="Prepare"/> found for the key.
    /// </summary>
    public bool SeekBefore(ReadOnlySpan<byte> key, int number)
    {
        if (number < 0) return key.SequenceCompareTo(_table.LargestKey) > 0 ? SeekLast() : _isValid = false;
        if (!Enter(number)) return false;
        _row = Math.Min(_block.LowerBound(key), _end);
        return MovePrevious();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool MoveNext()
    {
        if (_isValid && _row + 1 < _end)
        {
            _row++;
            return true;
        }
        return _isValid && Enter(_blockNumber + 1);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool MovePrevious()
    {
        if (_isValid && _row > _begin)
        {
            _row--;
            return true;
        }
        return _isValid && EnterLast(_blockNumber - 1);
    }

    /// <summary>Moves to a row of the cursor's block, inside the limits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal void GoTo(int rowOfBlock) => _row = rowOfBlock;

    /// <summary>Compares the row's key with a key: negative if the row's is below.</summary>
    public readonly int CompareKeyTo(ReadOnlySpan<byte> key)
    {
        ulong mine = Head8, other = KeyHead.Of(key);
        return mine != other ? mine < other ? -1 : 1 : _block.CompareKeyTo(_row, key);
    }

    /// <summary>The head of the key after <paramref name="skip"/> bytes.</summary>
    // SAFETY: the block's prefix has that many bytes, and lives as long as the table.
    public readonly unsafe ulong HeadAfter(int skip)
    {
        var prefix = _block.PrefixLength;
        if (skip == 0) return Head8;
        if (prefix == skip) return _block.Head(_row);
        if (prefix > skip)
        {
            var head = KeyHead.Of(new ReadOnlySpan<byte>(_block.Prefix, prefix), skip);
            return prefix - skip < KeyHead.Bytes ? head | _block.Head(_row) >> 8 * (prefix - skip) : head;
        }
        return _block.HeadAfter(_row, skip);
    }

    /// <summary>
    /// True if <see cref="HeadAfter"/> is, for every row of the block, <paramref name="front"/> with the row's own head
    /// behind it, shifted right.
    /// </summary>
    // SAFETY: the block's prefix has that many bytes, and lives as long as the table.
    public readonly unsafe bool TryHeadsAfter(int skip, out ulong front, out int shift)
    {
        var more = _block.PrefixLength - skip;
        (front, shift) = (0, 8 * more);
        if (more is < 0 or >= KeyHead.Bytes) return false;
        if (more > 0) front = KeyHead.Of(new ReadOnlySpan<byte>(_block.Prefix, _block.PrefixLength), skip);
        return true;
    }

    /// <summary>Writes the key, <see cref="KeyLength"/> bytes.</summary>
    public readonly void CopyKeyTo(Span<byte> destination) => _block.CopyKeyTo(_row, destination);

    /// <summary>
    /// Writes the key into a buffer that the caller keeps for a cursor's keys, without the prefix if the token says
    /// that the buffer still has it. The buffer has room for the longest key and sixteen bytes more. Returns the key's
    /// length.
    /// </summary>
    /// <param name="buffer">The buffer of the key.</param>
    /// <param name="token">The <see cref="PrefixToken"/> of the last key in the buffer; 0 at first.</param>
    // SAFETY: the caller's buffer has room for prefix, head and tail, which are written eight bytes at a time.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly unsafe int CopyKeyTo(byte* buffer, ref nint token)
    {
        if (token != PrefixToken)
        {
            Unsafe.CopyBlockUnaligned(buffer, _block.Prefix, (uint)_block.PrefixLength);
            token = PrefixToken;
        }
        _block.CopyKeyAfterPrefixTo(_row, buffer + _block.PrefixLength);
        return _block.KeyLength(_row);
    }

    private bool EnterLast(int number)
    {
        if (!Enter(number)) return false;
        _row = _end - 1;
        return true;
    }

    // SAFETY: the block's prefix has that many bytes, and lives as long as the table.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private unsafe bool Enter(int number)
    {
        _isValid = false;
        if (number < _firstBlock || number > _lastBlock) return false;
        _block = _table.Block(number, _firstBlock, _lastBlock, ref _window);
        _prefixHead = KeyHead.Of(new ReadOnlySpan<byte>(_block.Prefix, _block.PrefixLength));
        _begin = number == _lowerBlock ? _block.LowerBound(_limit.Span) : 0;
        _end = number == _upperBlock ? _block.LowerBound(_limit.Span) : _block.Count;
        (_blockNumber, _row) = (number, _begin);
        return _isValid = _begin < _end;
    }
}
