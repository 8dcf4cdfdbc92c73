using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Varve.Format;

namespace Varve.Tables;

/// <summary>
/// A validated data block in a mapping (<see cref="DataBlockHeader"/>): every offset computed here was checked by
/// <see cref="DataBlock.TryValidate"/>, and the memory lives as long as the table's mapping. Header and tags are read from
/// the copy in the index, which was found equal: those of all blocks together stay in the processor's caches.
/// </summary>
internal readonly unsafe struct DataBlockView
{
    private readonly byte* line;
    private readonly byte* block;
    private readonly byte* rows;
    private readonly DataBlockHeader header;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public DataBlockView(byte* line, byte* block)
    {
        this.line = line;
        this.block = block;
        header = *(DataBlockHeader*)line;
        rows = block + header.RowsOffset;
    }

    public byte* Address => block;

    public int Count => header.Count;

    public int PrefixLength => header.PrefixLength;

    public byte* Prefix => rows - header.PrefixLength;

    public byte Tag(int row) => line[DataBlockHeader.Bytes + row];

    public ulong Head(int row) => Heads[row];

    /// <summary>The row of a key, or -1.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Find(ReadOnlySpan<byte> key, ulong hash)
    {
        ulong candidates = HeadSearch.EqualTags(line + DataBlockHeader.Bytes, header.Count, DataBlock.TagOf(hash));
        while (candidates != 0)
        {
            int row = BitOperations.TrailingZeroCount(candidates);
            if (IsKey(row, key))
                return row;
            candidates &= candidates - 1;
        }
        return -1;
    }

    /// <summary>Asks for the head and the bytes of the first row that a hash can mean.</summary>
    public void Prefetch(ulong hash)
    {
        ulong candidates = HeadSearch.EqualTags(line + DataBlockHeader.Bytes, header.Count, DataBlock.TagOf(hash));
        if (candidates == 0)
            return;
        int row = BitOperations.TrailingZeroCount(candidates);
        Memory.Prefetch.Line(Heads + row);
        Memory.Prefetch.Line(Prefix);
        if (header.HasFixedRows)
            Memory.Prefetch.Line(RowBegin(row));
    }

    /// <summary>The first row whose key is not below a key; the count when there is none.</summary>
    public int LowerBound(ReadOnlySpan<byte> key)
    {
        int order = ComparePrefixTo(key);
        if (order != 0)
            return order > 0 ? 0 : Count;
        ulong head = KeyHead.Of(key, PrefixLength);
        int row = BitOperations.PopCount(HeadSearch.Below(Heads, Count, head));
        if (row == Count || Heads[row] != head)
            return row;
        int end = row + BitOperations.PopCount(HeadSearch.Equal(Heads, Count, head));
        while (row < end)
        {
            int middle = row + end >> 1;
            if (CompareAfterHeadTo(middle, key) < 0)
                row = middle + 1;
            else
                end = middle;
        }
        return row;
    }

    /// <summary>The order of a row's key against a key: negative when the row's is below.</summary>
    public int CompareKeyTo(int row, ReadOnlySpan<byte> key)
    {
        int order = ComparePrefixTo(key);
        if (order != 0)
            return order;
        ulong mine = Heads[row], other = KeyHead.Of(key, PrefixLength);
        return mine != other ? mine < other ? -1 : 1 : CompareAfterHeadTo(row, key);
    }

    public int KeyLength(int row) => header.HasFixedKeys ? header.KeyLength : ((ushort*)(block + header.KeyLengthsOffset))[row];

    /// <summary>
    /// Writes what follows the prefix in a row's key. Always stores eight bytes, so the destination has room for the
    /// prefix, a head and the tail even when the key is shorter.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void CopyKeyAfterPrefixTo(int row, byte* destination)
    {
        Unsafe.WriteUnaligned(destination, BinaryPrimitives.ReverseEndianness(Heads[row]));
        int tail = KeyLength(row) - header.PrefixLength - KeyHead.Bytes;
        if (tail > 0)
            Unsafe.CopyBlockUnaligned(destination + KeyHead.Bytes, RowBegin(row), (uint)tail);
    }

    /// <summary>Writes a row's key, which takes <see cref="KeyLength"/> bytes.</summary>
    public void CopyKeyTo(int row, Span<byte> destination)
    {
        int length = KeyLength(row), afterPrefix = length - PrefixLength;
        destination = destination[..length];
        new ReadOnlySpan<byte>(Prefix, PrefixLength).CopyTo(destination);
        Span<byte> head = stackalloc byte[KeyHead.Bytes];
        BinaryPrimitives.WriteUInt64BigEndian(head, Heads[row]);
        head[..Math.Min(KeyHead.Bytes, afterPrefix)].CopyTo(destination[PrefixLength..]);
        Tail(row).CopyTo(destination[^DataBlockHeader.TailBytes(length, PrefixLength)..]);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TableRow Row(int row)
    {
        byte* begin, end;
        if (header.HasFixedRows)
        {
            begin = rows + (ulong)header.RowBytes * (uint)row;
            end = begin + header.RowBytes;
        }
        else
        {
            uint* offsets = (uint*)(block + header.RowOffsetsOffset);
            begin = rows + offsets[row];
            end = rows + offsets[row + 1];
        }
        begin += DataBlockHeader.TailBytes(KeyLength(row), header.PrefixLength);
        RecordKind kind = header.HasOnlyPuts ? RecordKind.Put : (RecordKind)block[header.KindsOffset + row];
        if (kind != RecordKind.LeasedPut)
            return new TableRow(kind, 0, begin, (int)(end - begin));
        end -= sizeof(ulong);
        return new TableRow(kind, Unsafe.ReadUnaligned<ulong>(end), begin, (int)(end - begin));
    }

    private ulong* Heads => (ulong*)(block + DataBlockHeader.HeadsOffset);

    private byte* RowBegin(int row) => rows + (header.HasFixedRows
        ? (ulong)header.RowBytes * (uint)row
        : ((uint*)(block + header.RowOffsetsOffset))[row]);

    private ReadOnlySpan<byte> Tail(int row) => new(RowBegin(row), DataBlockHeader.TailBytes(KeyLength(row), header.PrefixLength));

    /// <summary>
    /// Whether a row's key is a key. Prefix and tail of up to eight bytes are compared under masks: their lengths vary from
    /// block to block, and branches on them would be mispredicted while the block is still on its way from memory.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool IsKey(int row, ReadOnlySpan<byte> key)
    {
        int prefix = header.PrefixLength, tail = key.Length - prefix - KeyHead.Bytes;
        if (KeyLength(row) != key.Length)
            return false;
        if (prefix > sizeof(ulong) || (uint)tail > sizeof(ulong))
            return IsKeyOfAnyLength(row, key);
        ref byte first = ref MemoryMarshal.GetReference(key);
        ulong head = BinaryPrimitives.ReverseEndianness(Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref first, prefix)));
        // The eight bytes from the prefix's begin end before the checksum does; those to the tail's end begin after the heads do.
        ulong prefixDifference = Unsafe.ReadUnaligned<ulong>(ref first) ^ Unsafe.ReadUnaligned<ulong>(Prefix);
        ulong tailDifference = Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref first, key.Length - sizeof(ulong)))
            ^ Unsafe.ReadUnaligned<ulong>(RowBegin(row) + tail - sizeof(ulong));
        ulong prefixMask = ~(ulong.MaxValue << 4 * prefix << 4 * prefix), tailMask = ~(ulong.MaxValue >> 4 * tail >> 4 * tail);
        return (Heads[row] ^ head | prefixDifference & prefixMask | tailDifference & tailMask) == 0;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool IsKeyOfAnyLength(int row, ReadOnlySpan<byte> key) =>
        Heads[row] == KeyHead.Of(key, header.PrefixLength)
        && key.StartsWith(new ReadOnlySpan<byte>(Prefix, header.PrefixLength))
        && Tail(row).SequenceEqual(key[^DataBlockHeader.TailBytes(key.Length, header.PrefixLength)..]);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private int ComparePrefixTo(ReadOnlySpan<byte> key)
    {
        int prefix = header.PrefixLength;
        if (prefix > sizeof(ulong) || key.Length < sizeof(ulong))
            return ComparePrefixOfAnyLengthTo(key);
        ulong mask = ~(ulong.MaxValue >> 4 * prefix >> 4 * prefix);
        ulong mine = BinaryPrimitives.ReverseEndianness(Unsafe.ReadUnaligned<ulong>(Prefix)) & mask;
        return mine.CompareTo(BinaryPrimitives.ReadUInt64BigEndian(key) & mask);
    }

    private int ComparePrefixOfAnyLengthTo(ReadOnlySpan<byte> key)
    {
        int shared = Math.Min(key.Length, PrefixLength);
        int order = new ReadOnlySpan<byte>(Prefix, shared).SequenceCompareTo(key[..shared]);
        return order == 0 && shared < PrefixLength ? 1 : order;
    }

    /// <summary>As <see cref="CompareKeyTo"/> when prefix and head are equal: a shorter key had zeros in its head.</summary>
    private int CompareAfterHeadTo(int row, ReadOnlySpan<byte> key)
    {
        int tail = DataBlockHeader.TailBytes(key.Length, PrefixLength);
        int order = Tail(row).SequenceCompareTo(key[^tail..]);
        return order != 0 ? order : KeyLength(row).CompareTo(key.Length);
    }
}
