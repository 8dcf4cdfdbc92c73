using System.Runtime.CompilerServices;
using Varve.Format;
using Varve.Memory;

namespace Varve.Tables;

/// <summary>
/// A walk over one table, either way, over all of it or up to a limit. Not on a row until a seek says true; a move that says false leaves it on none, and
/// then only a seek goes on. All memory it shows lives as long as the table, which the caller pins. A plain value: copies
/// walk on their own. One thread at a time.
/// </summary>
/// <exception cref="CorruptionException">Any seek or move: a block that it enters is damaged.</exception>
internal unsafe struct TableCursor(Table table)
{
    private readonly Table table = table;
    private DataBlockView block;
    private BlockWindow window;
    private ulong prefixHead;
    private FixedBytes limit;
    private int firstBlock;
    private int lastBlock = table.BlockCount - 1;
    private int lowerBlock = -1;
    private int upperBlock = -1;
    private int blockNumber;
    private int begin;
    private int end;
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

    /// <summary>The limit is here or was passed before: no other table goes on from this one.</summary>
    public readonly bool IsLimited => lastBlock < 0 || upperBlock >= 0 || lowerBlock >= 0;

    /// <summary>The limit is in the block that the cursor stands in.</summary>
    internal readonly bool IsLimitedHere => blockNumber == upperBlock || blockNumber == lowerBlock;

    /// <summary>The block that the cursor stands in.</summary>
    internal readonly DataBlockView Block => block;

    /// <summary>The number of the row in its block.</summary>
    internal readonly int RowNumber => row;

    /// <summary>The first row of the block that is inside the limits.</summary>
    internal readonly int Begin => begin;

    /// <summary>The row after the last one of the block that is inside the limits.</summary>
    internal readonly int End => end;

    /// <summary>For a walk upward: leaves out all keys at or above a key.</summary>
    public void LimitAbove(FixedBytes key)
    {
        ReadOnlySpan<byte> above = key.Span;
        int number = table.BlockOf(above);
        if (number < 0 && above.SequenceCompareTo(table.SmallestKey) > 0)
            return;
        (limit, lastBlock, upperBlock) = (key, number, number);
    }

    /// <summary>For a walk downward: leaves out all keys below a key.</summary>
    public void LimitBelow(FixedBytes key)
    {
        ReadOnlySpan<byte> below = key.Span;
        int number = table.BlockOf(below);
        if (number < 0 && below.SequenceCompareTo(table.LargestKey) > 0)
            lastBlock = -1;
        if (number < 0)
            return;
        (limit, firstBlock, lowerBlock) = (key, number, number);
    }

    public bool SeekFirst() => Enter(firstBlock);

    public bool SeekLast() => EnterLast(lastBlock);

    /// <summary>Goes to the first row whose key is not below a key.</summary>
    public bool Seek(ReadOnlySpan<byte> key) => Seek(key, table.BlockOf(key));

    /// <summary>
    /// The first half of a seek to a key: finds the block, or -1 outside of the table's range, and starts loading what the second half waits for.
    /// </summary>
    public readonly int Prepare(ReadOnlySpan<byte> key)
    {
        int number = table.BlockOf(key);
        if (number < 0)
            return number;
        table.PrefetchHeads(number);
        int limitBlock = upperBlock >= 0 ? upperBlock : lowerBlock;
        if (limitBlock == number + 1 || limitBlock == number - 1 && limitBlock >= 0)
            table.PrefetchHeads(limitBlock);
        return number;
    }

    /// <summary>As <see cref="Seek(ReadOnlySpan{byte})"/>, with the block that <see cref="Prepare"/> found for the key.</summary>
    public bool Seek(ReadOnlySpan<byte> key, int number)
    {
        if (number < 0)
            return key.SequenceCompareTo(table.SmallestKey) <= 0 ? SeekFirst() : isValid = false;
        if (!Enter(number))
            return false;
        row = Math.Max(block.LowerBound(key), begin);
        return row < end || Enter(number + 1);
    }

    /// <summary>Goes to the last row whose key is below a key.</summary>
    public bool SeekBefore(ReadOnlySpan<byte> key) => SeekBefore(key, table.BlockOf(key));

    /// <summary>As <see cref="SeekBefore(ReadOnlySpan{byte})"/>, with the block that <see cref="Prepare"/> found for the key.</summary>
    public bool SeekBefore(ReadOnlySpan<byte> key, int number)
    {
        if (number < 0)
            return key.SequenceCompareTo(table.LargestKey) > 0 ? SeekLast() : isValid = false;
        if (!Enter(number))
            return false;
        row = Math.Min(block.LowerBound(key), end);
        return MovePrevious();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool MoveNext()
    {
        if (isValid && row + 1 < end)
        {
            row++;
            return true;
        }
        return isValid && Enter(blockNumber + 1);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool MovePrevious()
    {
        if (isValid && row > begin)
        {
            row--;
            return true;
        }
        return isValid && EnterLast(blockNumber - 1);
    }

    /// <summary>Goes to a row of the block in which the cursor stands, inside the limits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal void GoTo(int rowOfBlock) => row = rowOfBlock;

    /// <summary>The order of the row's key against a key: negative when the row's is below.</summary>
    public readonly int CompareKeyTo(ReadOnlySpan<byte> key)
    {
        ulong mine = Head8, other = KeyHead.Of(key);
        return mine != other ? mine < other ? -1 : 1 : block.CompareKeyTo(row, key);
    }

    /// <summary>The head of the key after <paramref name="skip"/> bytes.</summary>
    public readonly ulong HeadAfter(int skip)
    {
        int prefix = block.PrefixLength;
        if (skip == 0)
            return Head8;
        if (prefix == skip)
            return block.Head(row);
        if (prefix > skip)
        {
            ulong head = KeyHead.Of(new ReadOnlySpan<byte>(block.Prefix, prefix), skip);
            return prefix - skip < KeyHead.Bytes ? head | block.Head(row) >> 8 * (prefix - skip) : head;
        }
        return block.HeadAfter(row, skip);
    }

    /// <summary>Whether what <see cref="HeadAfter"/> gives is, for every row of the block, a number with the row's own head behind it, shifted.</summary>
    public readonly bool TryHeadsAfter(int skip, out ulong front, out int shift)
    {
        int more = block.PrefixLength - skip;
        (front, shift) = (0, 8 * more);
        if (more is < 0 or >= KeyHead.Bytes)
            return false;
        if (more > 0)
            front = KeyHead.Of(new ReadOnlySpan<byte>(block.Prefix, block.PrefixLength), skip);
        return true;
    }

    /// <summary>Writes the key, <see cref="KeyLength"/> bytes.</summary>
    public readonly void CopyKeyTo(Span<byte> destination) => block.CopyKeyTo(row, destination);

    /// <summary>
    /// Writes the key into a buffer that the caller keeps for this purpose, and leaves out the prefix when the token says
    /// that it is there still. The buffer has sixteen bytes more room than the longest key; returns the key's length.
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
        row = end - 1;
        return true;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool Enter(int number)
    {
        isValid = false;
        if (number < firstBlock || number > lastBlock)
            return false;
        block = table.Block(number, firstBlock, lastBlock, ref window);
        prefixHead = KeyHead.Of(new ReadOnlySpan<byte>(block.Prefix, block.PrefixLength));
        begin = number == lowerBlock ? block.LowerBound(limit.Span) : 0;
        end = number == upperBlock ? block.LowerBound(limit.Span) : block.Count;
        (blockNumber, row) = (number, begin);
        return isValid = begin < end;
    }
}
