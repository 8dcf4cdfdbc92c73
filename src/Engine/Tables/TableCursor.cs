using System.Runtime.CompilerServices;
using Varve.Format;

namespace Varve.Tables;

/// <summary>
/// A walk over one table, either way. Not on a row until a seek says true; a move that says false leaves it on none, and
/// then only a seek goes on. All memory it shows lives as long as the table, which the caller pins. A plain value: copies
/// walk on their own. One thread at a time.
/// </summary>
/// <exception cref="CorruptionException">Any seek or move: a block that it enters is damaged.</exception>
internal unsafe struct TableCursor(Table table)
{
    private readonly Table table = table;
    private DataBlockView block;
    private ulong prefixHead;
    private int blockNumber;
    private int row;
    private bool isValid;

    public readonly bool IsValid => isValid;

    public readonly int KeyLength => block.KeyLength(row);

    /// <summary>Bytes that all keys share while <see cref="PrefixToken"/> stays the same.</summary>
    public readonly int PrefixLength => block.PrefixLength;

    /// <summary>Changes whenever the shared prefix may have changed; never 0 on a row.</summary>
    public readonly nint PrefixToken => (nint)block.Address;

    /// <summary>The first eight bytes of the key (<see cref="KeyHead"/>): unequal ones order the keys.</summary>
    public readonly ulong Head8
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => block.PrefixLength < KeyHead.Bytes ? prefixHead | block.Head(row) >> 8 * block.PrefixLength : prefixHead;
    }

    /// <summary>The row; its value lives as long as the table.</summary>
    public readonly TableRow Row
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => block.Row(row);
    }

    public bool SeekFirst() => Enter(0);

    public bool SeekLast() => EnterLast(table.BlockCount - 1);

    /// <summary>Goes to the first row whose key is not below a key.</summary>
    public bool Seek(ReadOnlySpan<byte> key)
    {
        if (key.SequenceCompareTo(table.SmallestKey) <= 0)
            return SeekFirst();
        if (key.SequenceCompareTo(table.LargestKey) > 0)
            return isValid = false;
        int number = table.BlockOf(key);
        table.PrefetchHeads(number);
        Enter(number);
        row = block.LowerBound(key);
        return row < block.Count || Enter(number + 1);
    }

    /// <summary>Goes to the last row whose key is below a key.</summary>
    public bool SeekBefore(ReadOnlySpan<byte> key)
    {
        if (key.SequenceCompareTo(table.LargestKey) > 0)
            return SeekLast();
        return Seek(key) && MovePrevious();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool MoveNext()
    {
        if (isValid && row + 1 < block.Count)
        {
            row++;
            return true;
        }
        return isValid && Enter(blockNumber + 1);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool MovePrevious()
    {
        if (isValid && row > 0)
        {
            row--;
            return true;
        }
        return isValid && EnterLast(blockNumber - 1);
    }

    /// <summary>The order of the row's key against a key: negative when the row's is below.</summary>
    public readonly int CompareKeyTo(ReadOnlySpan<byte> key)
    {
        ulong mine = Head8, other = KeyHead.Of(key);
        return mine != other ? mine < other ? -1 : 1 : block.CompareKeyTo(row, key);
    }

    /// <summary>Writes the key, <see cref="KeyLength"/> bytes.</summary>
    public readonly void CopyKeyTo(Span<byte> destination) => block.CopyKeyTo(row, destination);

    /// <summary>
    /// Writes the key into a buffer that the caller keeps for this purpose, and leaves out the prefix when the token says
    /// that it is there still. The buffer has eight bytes more room than the longest key; returns the key's length.
    /// </summary>
    /// <param name="buffer">Where the key goes.</param>
    /// <param name="token">The <see cref="PrefixToken"/> of the key that the buffer last received from a cursor; 0 at first.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly int CopyKeyTo(byte* buffer, ref nint token)
    {
        if (token != PrefixToken)
        {
            Unsafe.CopyBlockUnaligned(buffer, block.Prefix, (uint)block.PrefixLength);
            token = PrefixToken;
        }
        block.CopyKeyAfterPrefixTo(row, buffer + block.PrefixLength);
        return block.KeyLength(row);
    }

    private bool EnterLast(int number)
    {
        if (!Enter(number))
            return false;
        row = block.Count - 1;
        return true;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool Enter(int number)
    {
        isValid = false;
        if ((uint)number >= (uint)table.BlockCount)
            return false;
        block = table.Block(number);
        prefixHead = KeyHead.Of(new ReadOnlySpan<byte>(block.Prefix, block.PrefixLength));
        (blockNumber, row) = (number, 0);
        return isValid = true;
    }
}
