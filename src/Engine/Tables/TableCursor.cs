using System.Runtime.CompilerServices;
using Varve.Format;
using Varve.Memory;

namespace Varve.Tables;

/// <summary>
/// A walk over one table, either way, over all of it or up to a limit. Not on a row until a seek says true; a move that
/// says false leaves it on none, and then only a seek goes on. All memory it shows lives as long as the table, which
/// the caller pins. A plain value: copies walk on their own. One thread at a time.
/// </summary>
/// <exception cref="CorruptionException">Any seek or move: a block that it enters is damaged.</exception>
internal unsafe struct TableCursor(Table table)
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

    /// <summary>Bytes that all keys share while <see cref="PrefixToken"/> stays the same.</summary>
    public readonly int PrefixLength => _block.PrefixLength;

    /// <summary>Changes whenever the shared prefix may have changed; never 0 on a row.</summary>
    public readonly nint PrefixToken => (nint)_block.Address;

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

    /// <summary>The limit is here or was passed before: no other table goes on from this one.</summary>
    public readonly bool IsLimited => _lastBlock < 0 || _upperBlock >= 0 || _lowerBlock >= 0;

    /// <summary>The limit is in the block that the cursor stands in.</summary>
    internal readonly bool IsLimitedHere => _blockNumber == _upperBlock || _blockNumber == _lowerBlock;

    /// <summary>The block that the cursor stands in.</summary>
    internal readonly DataBlockView Block => _block;

    /// <summary>The number of the row in its block.</summary>
    internal readonly int RowNumber => _row;

    /// <summary>The first row of the block that is inside the limits.</summary>
    internal readonly int Begin => _begin;

    /// <summary>The row after the last one of the block that is inside the limits.</summary>
    internal readonly int End => _end;

    /// <summary>For a walk upward: leaves out all keys at or above a key.</summary>
    public void LimitAbove(FixedBytes key)
    {
        var above = key.Span;
        var number = _table.BlockOf(above);
        if (number < 0 && above.SequenceCompareTo(_table.SmallestKey) > 0) return;
        (_limit, _lastBlock, _upperBlock) = (key, number, number);
    }

    /// <summary>For a walk downward: leaves out all keys below a key.</summary>
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

    /// <summary>Goes to the first row whose key is not below a key.</summary>
    public bool Seek(ReadOnlySpan<byte> key) => Seek(key, _table.BlockOf(key));

    /// <summary>
    /// The first half of a seek to a key: finds the block, or -1 outside of the table's range, and starts loading what
    /// the second half waits for.
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
    /// As <see cref="Seek(ReadOnlySpan{byte})"/>, with the block that <see cref="Prepare"/> found for the key.
    /// </summary>
    public bool Seek(ReadOnlySpan<byte> key, int number)
    {
        if (number < 0) return key.SequenceCompareTo(_table.SmallestKey) <= 0 ? SeekFirst() : _isValid = false;
        if (!Enter(number)) return false;
        _row = Math.Max(_block.LowerBound(key), _begin);
        return _row < _end || Enter(number + 1);
    }

    /// <summary>Goes to the last row whose key is below a key.</summary>
    public bool SeekBefore(ReadOnlySpan<byte> key) => SeekBefore(key, _table.BlockOf(key));

    /// <summary>
    /// As <see cref="SeekBefore(ReadOnlySpan{byte})"/>, with the block that <see cref="Prepare"/> found for the key.
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

    /// <summary>Goes to a row of the block in which the cursor stands, inside the limits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal void GoTo(int rowOfBlock) => _row = rowOfBlock;

    /// <summary>The order of the row's key against a key: negative when the row's is below.</summary>
    public readonly int CompareKeyTo(ReadOnlySpan<byte> key)
    {
        ulong mine = Head8, other = KeyHead.Of(key);
        return mine != other ? mine < other ? -1 : 1 : _block.CompareKeyTo(_row, key);
    }

    /// <summary>The head of the key after <paramref name="skip"/> bytes.</summary>
    public readonly ulong HeadAfter(int skip)
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
    /// Whether what <see cref="HeadAfter"/> gives is, for every row of the block, a number with the row's own head
    /// behind it, shifted.
    /// </summary>
    public readonly bool TryHeadsAfter(int skip, out ulong front, out int shift)
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
    /// Writes the key into a buffer that the caller keeps for this purpose, and leaves out the prefix when the token
    /// says that it is there still. The buffer has sixteen bytes more room than the longest key; returns the key's
    /// length.
    /// </summary>
    /// <param name="buffer">Where the key goes.</param>
    /// <param name="token">The <see cref="PrefixToken"/> of the key that the buffer last received from a cursor; 0 at
    /// first.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly int CopyKeyTo(byte* buffer, ref nint token)
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

    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool Enter(int number)
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
