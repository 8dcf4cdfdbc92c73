using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using Varve.Format;

namespace Varve.Tables;

/// <summary>
/// A validated data block in a mapping (<see cref="DataBlockHeader"/>): every offset computed here was checked by
/// <see cref="DataBlock.TryValidate"/>, and the memory lives as long as the table's mapping. Header and tags are read from
/// the copy in the index, which was found equal: those of all blocks together stay in the processor's caches.
/// </summary>
internal readonly unsafe struct DataBlockView
{
    private readonly DataBlockHeader* header;
    private readonly byte* block;
    private readonly byte* rows;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public DataBlockView(byte* line, byte* block)
    {
        header = (DataBlockHeader*)line;
        this.block = block;
        rows = block + header->RowsOffset;
    }

    public byte* Address => block;

    public int Count => header->Count;

    public int PrefixLength => header->PrefixLength;

    public byte* Prefix => rows - header->PrefixLength;

    public byte Tag(int row) => Tags[row];

    public ulong Head(int row) => Heads[row];

    /// <summary>The rows whose keys may have a hash, as bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Candidates(byte* line, ulong hash) =>
        HeadSearch.EqualTags(line + DataBlockHeader.Bytes, ((DataBlockHeader*)line)->Count, DataBlock.TagOf(hash));

    /// <summary>
    /// Finds the row of a key among candidates in a validated block. Blocks of uniform puts with short prefixes and tails are the usual
    /// ones: there everything follows from the line, and no branch waits for the block's bytes but the last.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TableRow Find(byte* line, byte* block, ReadOnlySpan<byte> key, ulong candidates)
    {
        var header = (DataBlockHeader*)line;
        uint prefix = header->PrefixLength, tail = (uint)key.Length - prefix - KeyHead.Bytes;
        if (header->Flags != DataBlockFlags.Uniform || header->KeyLength != key.Length || prefix > sizeof(ulong) || tail > sizeof(ulong))
            return FindAny(line, block, key, candidates);

        byte* heads = block + DataBlockHeader.HeadsOffset, rows = heads + 8 * (uint)header->Count + prefix;
        ref byte first = ref MemoryMarshal.GetReference(key);
        ulong head = BinaryPrimitives.ReverseEndianness(Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref first, prefix)));
        ulong last = Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref first, (uint)key.Length - sizeof(ulong)));
        // Eight bytes from the prefix's begin on end before the checksum does; those to the tail's end begin after the heads do.
        ulong wrong = LowBytes(Unsafe.ReadUnaligned<ulong>(ref first) ^ Unsafe.ReadUnaligned<ulong>(rows - prefix), prefix);
        for (; candidates != 0; candidates &= candidates - 1)
        {
            uint row = (uint)BitOperations.TrailingZeroCount(candidates);
            byte* value = rows + (ulong)header->RowBytes * row + tail;
            if ((wrong | *(ulong*)(heads + 8 * row) ^ head | HighBytes(Unsafe.ReadUnaligned<ulong>(value - sizeof(ulong)) ^ last, tail)) == 0)
                return new TableRow(RecordKind.Put, value, (int)(header->RowBytes - tail));
        }
        return default;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong LowBytes(ulong value, uint count) =>
        Bmi2.X64.IsSupported ? Bmi2.X64.ZeroHighBits(value, 8 * count) : value & ~(ulong.MaxValue << (int)(4 * count) << (int)(4 * count));

    /// <summary>The upper bytes of an integer, moved down.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong HighBytes(ulong value, uint count) => value >> (int)(32 - 4 * count) >> (int)(32 - 4 * count);

    /// <summary>As the other, for a key with a hash.</summary>
    public TableRow Find(ReadOnlySpan<byte> key, ulong hash) => Find((byte*)header, block, key, Candidates((byte*)header, hash));

    /// <summary>The number of the row of a key with a hash; -1 where there is none.</summary>
    public int RowOf(ReadOnlySpan<byte> key, ulong hash) => RowAmong(key, Candidates((byte*)header, hash));

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static TableRow FindAny(byte* line, byte* block, ReadOnlySpan<byte> key, ulong candidates)
    {
        var view = new DataBlockView(line, block);
        int row = view.RowAmong(key, candidates);
        return row < 0 ? default : view.Row(row);
    }

    private int RowAmong(ReadOnlySpan<byte> key, ulong candidates)
    {
        for (; candidates != 0; candidates &= candidates - 1)
        {
            int row = BitOperations.TrailingZeroCount(candidates);
            if (IsKey(row, key))
                return row;
        }
        return -1;
    }

    /// <summary>
    /// Asks for the head and the bytes of the first candidate, if there is one; of a long row, the first bytes. Reads
    /// nothing but the line, so the block need not be checked yet.
    /// </summary>
    public void Prefetch(ulong candidates)
    {
        const uint BytesMax = 256;
        if (candidates == 0)
            return;
        int row = BitOperations.TrailingZeroCount(candidates);
        Memory.Prefetch.Line(Heads + row);
        Memory.Prefetch.Line(Prefix);
        if (!header->HasFixedRows)
            return;
        byte* begin = RowBegin(row), end = begin + Math.Min(header->RowBytes, BytesMax);
        for (begin -= (nuint)begin % DataBlockHeader.Alignment; begin < end; begin += DataBlockHeader.Alignment)
            Memory.Prefetch.Line(begin);
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

    public int KeyLength(int row) => header->HasFixedKeys ? header->KeyLength : ((ushort*)(block + header->KeyLengthsOffset))[row];

    /// <summary>
    /// Writes what follows the prefix in a row's key. Stores eight bytes at a time, so the destination has room for the
    /// prefix and sixteen bytes more even when the key is shorter.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void CopyKeyAfterPrefixTo(int row, byte* destination)
    {
        Unsafe.WriteUnaligned(destination, BinaryPrimitives.ReverseEndianness(Heads[row]));
        int tail = KeyLength(row) - header->PrefixLength - KeyHead.Bytes;
        if (tail <= 0)
            return;
        byte* begin = RowBegin(row);
        if (tail <= sizeof(ulong))
            Unsafe.WriteUnaligned(destination + KeyHead.Bytes, Unsafe.ReadUnaligned<ulong>(begin)); // the checksum follows the last row
        else
            Unsafe.CopyBlockUnaligned(destination + KeyHead.Bytes, begin, (uint)tail);
    }

    /// <summary>The head of a row's key after more bytes than the prefix has.</summary>
    public ulong HeadAfter(int row, int skip)
    {
        int past = skip - PrefixLength;
        if (past >= KeyHead.Bytes)
            return KeyHead.Of(Tail(row), past - KeyHead.Bytes);
        return Heads[row] << 8 * past | KeyHead.Of(Tail(row)) >> 8 * (KeyHead.Bytes - past);
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

    /// <summary>Asks for the bytes of the rows between two, whichever is first, up to half a page of them.</summary>
    public void PrefetchRows(int from, int to)
    {
        const long BytesMax = 2048;
        byte* begin = RowBegin(Math.Min(from, to)), end = RowBegin(Math.Max(from, to));
        if (end - begin > BytesMax && from < to)
            end = begin + BytesMax;
        else if (end - begin > BytesMax)
            begin = end - BytesMax;
        for (; begin < end; begin += DataBlockHeader.Alignment)
            Memory.Prefetch.Line(begin);
    }

    /// <summary>
    /// In a block of uniform puts with short tails, where the rows are: row i begins at i times <paramref name="rowBytes"/>, with
    /// <paramref name="tail"/> bytes of its key, up to eight, before its value. Null for any other block.
    /// </summary>
    public byte* UniformRows(out ulong* heads, out uint rowBytes, out uint tail)
    {
        heads = Heads;
        rowBytes = header->RowBytes;
        tail = (uint)DataBlockHeader.TailBytes(header->KeyLength, header->PrefixLength);
        return header->Flags == DataBlockFlags.Uniform && tail <= sizeof(ulong) ? rows : null;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TableRow Row(int row)
    {
        byte* begin, end;
        if (header->HasFixedRows)
        {
            begin = rows + (ulong)header->RowBytes * (uint)row;
            end = begin + header->RowBytes;
        }
        else
        {
            uint* offsets = (uint*)(block + header->RowOffsetsOffset);
            begin = rows + offsets[row];
            end = rows + offsets[row + 1];
        }
        begin += DataBlockHeader.TailBytes(KeyLength(row), header->PrefixLength);
        RecordKind kind = header->HasOnlyPuts ? RecordKind.Put : (RecordKind)block[header->KindsOffset + row];
        int length = (int)(end - begin) - (kind == RecordKind.LeasedPut ? sizeof(ulong) : 0);
        return new TableRow(kind, begin, length);
    }

    private byte* Tags => (byte*)header + DataBlockHeader.Bytes;

    private ulong* Heads => (ulong*)(block + DataBlockHeader.HeadsOffset);

    private byte* RowBegin(int row) => rows + (header->HasFixedRows
        ? (ulong)header->RowBytes * (uint)row
        : ((uint*)(block + header->RowOffsetsOffset))[row]);

    private ReadOnlySpan<byte> Tail(int row) => new(RowBegin(row), DataBlockHeader.TailBytes(KeyLength(row), header->PrefixLength));

    private bool IsKey(int row, ReadOnlySpan<byte> key) =>
        KeyLength(row) == key.Length
        && Heads[row] == KeyHead.Of(key, header->PrefixLength)
        && key.StartsWith(new ReadOnlySpan<byte>(Prefix, header->PrefixLength))
        && Tail(row).SequenceEqual(key[^DataBlockHeader.TailBytes(key.Length, header->PrefixLength)..]);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private int ComparePrefixTo(ReadOnlySpan<byte> key)
    {
        int prefix = header->PrefixLength;
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
