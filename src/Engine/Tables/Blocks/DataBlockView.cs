using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Varve.Format;

namespace Varve.Tables;

/// <summary>
/// A validated data block in a mapping (<see cref="DataBlockHeader"/>). <see cref="DataBlock.TryValidate"/> has checked
/// every offset that is computed here; the memory lives as long as the table's mapping, and rows are numbered below
/// <see cref="Count"/>. Header and tags are read from the index's copy of the block's first line, which was found
/// equal: the lines of all blocks stay in the processor's caches.
/// </summary>
internal readonly struct DataBlockView
{
    // SAFETY: these members point to the block's line in the index and into the block, both in the table's mapping.
    // Validation has checked that header, tags, prefix, heads, columns and rows are inside.
    private readonly unsafe DataBlockHeader* _header;
    private readonly unsafe byte* _block;
    private readonly unsafe byte* _rows;

    // SAFETY: the caller passes the line and the bytes of one block, whose header was validated.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public unsafe DataBlockView(byte* line, byte* block)
    {
        _header = (DataBlockHeader*)line;
        _block = block;
        _rows = block + _header->RowsOffset;
    }

    // SAFETY: these members stay inside the validated line, columns and rows of the block, for rows below the count.
    public unsafe byte* Address => _block;

    public unsafe int Count => _header->Count;

    public unsafe int PrefixLength => _header->PrefixLength;

    public unsafe byte* Prefix => _rows - _header->PrefixLength;

    public unsafe byte Tag(int row) => Tags[row];

    public unsafe ulong Head(int row) => Heads[row];

    private unsafe byte* Tags => (byte*)_header + DataBlockHeader.Bytes;

    private unsafe ulong* Heads => (ulong*)(_block + DataBlockHeader.HeadsOffset);

    private unsafe byte* RowBegin(int row) => _rows + (_header->HasFixedRows
        ? (ulong)_header->RowBytes * (uint)row
        : ((uint*)(_block + _header->RowOffsetsOffset))[row]);

    private unsafe ReadOnlySpan<byte> Tail(int row) =>
        new(RowBegin(row), DataBlockHeader.TailBytes(KeyLength(row), _header->PrefixLength));

    public unsafe int KeyLength(int row) =>
        _header->HasFixedKeys ? _header->KeyLength : ((ushort*)(_block + _header->KeyLengthsOffset))[row];

    /// <summary>Finds the row of a key with this hash.</summary>
    public unsafe KeyVersion Find(ReadOnlySpan<byte> key, ulong hash) =>
        Find((byte*)_header, _block, key, Candidates((byte*)_header, hash));

    /// <summary>The number of the row of a key with this hash; -1 if there is none.</summary>
    public unsafe int RowOf(ReadOnlySpan<byte> key, ulong hash) => RowAmong(key, Candidates((byte*)_header, hash));

    /// <summary>The rows whose keys may have a hash, as bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe ulong Candidates(byte* line, ulong hash) =>
        HeadSearch.EqualTags(line + DataBlockHeader.Bytes, ((DataBlockHeader*)line)->Count, DataBlock.TagOf(hash));

    /// <summary>
    /// Finds the row of a key among candidates in a validated block. Most blocks have uniform puts with short prefixes
    /// and tails: there every address follows from the line, and only the last branch waits for bytes of the block.
    /// </summary>
    // SAFETY: candidates are rows of the block. Eight bytes from the prefix's beginning end before the checksum does;
    // eight bytes up to a tail's end begin in the heads or behind them. The key has at least eight bytes: a head, and
    // prefix and tail beside it.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe KeyVersion Find(byte* line, byte* block, ReadOnlySpan<byte> key, ulong candidates)
    {
        var header = (DataBlockHeader*)line;
        uint prefix = header->PrefixLength, tail = (uint)key.Length - prefix - KeyHead.Bytes;
        if (header->Flags != DataBlockFlags.Uniform || header->KeyLength != key.Length || prefix > sizeof(ulong)
            || tail > sizeof(ulong))
            return FindAny(line, block, key, candidates);

        byte* heads = block + DataBlockHeader.HeadsOffset, rows = heads + 8 * (uint)header->Count + prefix;
        ref byte first = ref MemoryMarshal.GetReference(key);
        var head = BinaryPrimitives.ReverseEndianness(Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref first, prefix)));
        var last = Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref first, (uint)key.Length - sizeof(ulong)));
        var wrong = WordBytes.Low(
            Unsafe.ReadUnaligned<ulong>(ref first) ^ Unsafe.ReadUnaligned<ulong>(rows - prefix), prefix);
        for (; candidates != 0; candidates &= candidates - 1)
        {
            var row = (uint)BitOperations.TrailingZeroCount(candidates);
            var value = rows + (ulong)header->RowBytes * row + tail;
            if ((wrong | *(ulong*)(heads + 8 * row) ^ head
                | WordBytes.High(Unsafe.ReadUnaligned<ulong>(value - sizeof(ulong)) ^ last, tail)) == 0)
                return new KeyVersion(RecordKind.Put, value, (int)(header->RowBytes - tail));
        }
        return default;
    }

    // SAFETY: passes on the line and the validated block of its caller.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static unsafe KeyVersion FindAny(byte* line, byte* block, ReadOnlySpan<byte> key, ulong candidates)
    {
        var view = new DataBlockView(line, block);
        var row = view.RowAmong(key, candidates);
        return row < 0 ? default : view.Row(row);
    }

    private int RowAmong(ReadOnlySpan<byte> key, ulong candidates)
    {
        for (; candidates != 0; candidates &= candidates - 1)
        {
            var row = BitOperations.TrailingZeroCount(candidates);
            if (IsKey(row, key)) return row;
        }
        return -1;
    }

    /// <summary>
    /// Prefetches the head and the first bytes of the first candidate, if there is one. Reads only the line, so the
    /// block need not be checked yet.
    /// </summary>
    // SAFETY: prefetches may name any address.
    public unsafe void Prefetch(ulong candidates)
    {
        const uint BytesMax = 256;
        if (candidates == 0) return;
        var row = BitOperations.TrailingZeroCount(candidates);
        Memory.Prefetch.Line(Heads + row);
        Memory.Prefetch.Line(Prefix);
        if (!_header->HasFixedRows) return;
        byte* begin = RowBegin(row), end = begin + Math.Min(_header->RowBytes, BytesMax);
        for (begin -= (nuint)begin % DataBlockHeader.Alignment; begin < end; begin += DataBlockHeader.Alignment)
            Memory.Prefetch.Line(begin);
    }

    /// <summary>The first row whose key is not below a key; the count if there is none.</summary>
    // SAFETY: the search reads the block's heads, with whole vectors that end inside the block (HeadSearch).
    public unsafe int LowerBound(ReadOnlySpan<byte> key)
    {
        var order = ComparePrefixTo(key);
        if (order != 0) return order > 0 ? 0 : Count;
        var head = KeyHead.Of(key, PrefixLength);
        var row = BitOperations.PopCount(HeadSearch.Below(Heads, Count, head));
        if (row == Count || Heads[row] != head) return row;
        var end = row + BitOperations.PopCount(HeadSearch.Equal(Heads, Count, head));
        while (row < end)
        {
            var middle = row + end >> 1;
            if (CompareAfterHeadTo(middle, key) < 0)
                row = middle + 1;
            else
                end = middle;
        }
        return row;
    }

    /// <summary>Compares a row's key with a key: negative if the row's is below.</summary>
    public int CompareKeyTo(int row, ReadOnlySpan<byte> key)
    {
        var order = ComparePrefixTo(key);
        if (order != 0) return order;
        ulong mine = Head(row), other = KeyHead.Of(key, PrefixLength);
        return mine != other ? mine < other ? -1 : 1 : CompareAfterHeadTo(row, key);
    }

    /// <summary>
    /// Writes the part of a row's key behind the prefix. Stores eight bytes at a time, so the destination has room for
    /// sixteen bytes behind the prefix even if the key is shorter.
    /// </summary>
    // SAFETY: the caller's buffer has that room and, for a long tail, room for the key. Eight bytes from a row's
    // beginning are in the block, since the checksum follows the last row.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public unsafe void CopyKeyAfterPrefixTo(int row, byte* destination)
    {
        Unsafe.WriteUnaligned(destination, BinaryPrimitives.ReverseEndianness(Heads[row]));
        var tail = KeyLength(row) - _header->PrefixLength - KeyHead.Bytes;
        if (tail <= 0) return;
        var begin = RowBegin(row);
        if (tail <= sizeof(ulong))
            Unsafe.WriteUnaligned(destination + KeyHead.Bytes, Unsafe.ReadUnaligned<ulong>(begin));
        else
            Unsafe.CopyBlockUnaligned(destination + KeyHead.Bytes, begin, (uint)tail);
    }

    /// <summary>The head of a row's key after more bytes than the prefix has.</summary>
    public ulong HeadAfter(int row, int skip)
    {
        var past = skip - PrefixLength;
        if (past >= KeyHead.Bytes) return KeyHead.Of(Tail(row), past - KeyHead.Bytes);
        return Head(row) << 8 * past | KeyHead.Of(Tail(row)) >> 8 * (KeyHead.Bytes - past);
    }

    /// <summary>Writes a row's key, <see cref="KeyLength"/> bytes.</summary>
    // SAFETY: reads the validated prefix and head; the destination is a checked span.
    public unsafe void CopyKeyTo(int row, Span<byte> destination)
    {
        int length = KeyLength(row), afterPrefix = length - PrefixLength;
        destination = destination[..length];
        new ReadOnlySpan<byte>(Prefix, PrefixLength).CopyTo(destination);
        Span<byte> head = stackalloc byte[KeyHead.Bytes];
        BinaryPrimitives.WriteUInt64BigEndian(head, Heads[row]);
        head[..Math.Min(KeyHead.Bytes, afterPrefix)].CopyTo(destination[PrefixLength..]);
        Tail(row).CopyTo(destination[^DataBlockHeader.TailBytes(length, PrefixLength)..]);
    }

    /// <summary>Prefetches the rows between two rows, in either order, up to half a page of bytes.</summary>
    // SAFETY: computes addresses of rows and prefetches them; a prefetch never faults.
    public unsafe void PrefetchRows(int from, int to)
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
    /// The address of the rows in a block of uniform puts with short tails. Row i begins at i times
    /// <paramref name="rowBytes"/>, with <paramref name="tail"/> bytes of its key, up to eight, before its value. Null
    /// for any other block.
    /// </summary>
    // SAFETY: shows addresses inside the block and reads only its header.
    public unsafe byte* UniformRows(out ulong* heads, out uint rowBytes, out uint tail)
    {
        heads = Heads;
        rowBytes = _header->RowBytes;
        tail = (uint)DataBlockHeader.TailBytes(_header->KeyLength, _header->PrefixLength);
        return _header->Flags == DataBlockFlags.Uniform && tail <= sizeof(ulong) ? _rows : null;
    }

    // SAFETY: validation has checked the row's bounds against its key's tail, and that a lease's deadline fits.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public unsafe KeyVersion Row(int row)
    {
        byte* begin, end;
        if (_header->HasFixedRows)
        {
            begin = _rows + (ulong)_header->RowBytes * (uint)row;
            end = begin + _header->RowBytes;
        }
        else
        {
            var offsets = (uint*)(_block + _header->RowOffsetsOffset);
            begin = _rows + offsets[row];
            end = _rows + offsets[row + 1];
        }
        begin += DataBlockHeader.TailBytes(KeyLength(row), _header->PrefixLength);
        var kind = _header->HasOnlyPuts ? RecordKind.Put : (RecordKind)_block[_header->KindsOffset + row];
        var length = (int)(end - begin) - (kind == RecordKind.LeasedPut ? sizeof(ulong) : 0);
        return new KeyVersion(kind, begin, length);
    }

    // SAFETY: reads the row's head in the validated column, and the validated prefix.
    private unsafe bool IsKey(int row, ReadOnlySpan<byte> key) =>
        KeyLength(row) == key.Length
        && Heads[row] == KeyHead.Of(key, _header->PrefixLength)
        && key.StartsWith(new ReadOnlySpan<byte>(Prefix, _header->PrefixLength))
        && Tail(row).SequenceEqual(key[^DataBlockHeader.TailBytes(key.Length, _header->PrefixLength)..]);

    // SAFETY: eight bytes from the prefix's beginning are in the block, since the checksum follows the rows.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private unsafe int ComparePrefixTo(ReadOnlySpan<byte> key)
    {
        int prefix = _header->PrefixLength;
        if (prefix > sizeof(ulong) || key.Length < sizeof(ulong)) return ComparePrefixOfAnyLengthTo(key);
        var mask = ~(ulong.MaxValue >> 4 * prefix >> 4 * prefix);
        var mine = BinaryPrimitives.ReverseEndianness(Unsafe.ReadUnaligned<ulong>(Prefix)) & mask;
        return mine.CompareTo(BinaryPrimitives.ReadUInt64BigEndian(key) & mask);
    }

    // SAFETY: the span is no longer than the validated prefix.
    private unsafe int ComparePrefixOfAnyLengthTo(ReadOnlySpan<byte> key)
    {
        var shared = Math.Min(key.Length, PrefixLength);
        var order = new ReadOnlySpan<byte>(Prefix, shared).SequenceCompareTo(key[..shared]);
        return order == 0 && shared < PrefixLength ? 1 : order;
    }

    /// <summary>
    /// Compares a row's key with another that has the same prefix and head. A shorter key has zeros in its head.
    /// </summary>
    private int CompareAfterHeadTo(int row, ReadOnlySpan<byte> key)
    {
        var tail = DataBlockHeader.TailBytes(key.Length, PrefixLength);
        var order = Tail(row).SequenceCompareTo(key[^tail..]);
        return order != 0 ? order : KeyLength(row).CompareTo(key.Length);
    }
}
