using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using Varve.Format;
using Varve.Memory;
using Varve.Tables;

namespace Varve.Iterators;

/// <summary>
/// The block in which a <see cref="RunIterator"/> stands: its rows inside the scan's bounds and, in a block of uniform
/// puts, the addresses of their parts, so that a step computes where a row is and reads no header.
/// </summary>
internal struct ScanBlock
{
    private const int RowsAhead = 12; // at full speed, the time that a line takes to come from memory

    private RowWindow _inBounds;

    // SAFETY: these members point into a validated block of the cursor's table, which the scan's version keeps mapped.
    private unsafe byte* _rows; // null unless the rows are uniform puts with short tails
    private unsafe ulong* _heads;
    private unsafe byte* _prefetchable;
    private uint _rowBytes;
    private uint _tailBytes;
    private long _aheadBytes;
    private nuint _prefetchableBytes;
    private ulong _headBase;
    private int _headShift;
    private bool _hasHeads;

    /// <summary>The rows inside the scan's bounds.</summary>
    public readonly RowWindow InBounds => _inBounds;

    /// <summary>The rows are uniform puts: <see cref="ReadKeyTail"/> works.</summary>
    // SAFETY: compares a pointer and reads nothing.
    public readonly unsafe bool IsUniform => _rows != null;

    /// <summary>The rows are uniform puts whose heads follow from their own: <see cref="HeadOf"/> works.</summary>
    public readonly bool HasHeads => _hasHeads;

    /// <summary>Enters the cursor's block and prefetches the next rows in the direction of the step.</summary>
    // SAFETY: the first row in bounds is a row of the block, so its address is inside; nothing is read here.
    public unsafe void Enter(in TableCursor cursor, int step, int prefixLength)
    {
        var block = cursor.Block;
        int row = cursor.RowNumber, begin = cursor.Begin, end = cursor.End;
        block.PrefetchRows(row, step > 0 ? Math.Min(end, row + RowsAhead) : Math.Max(begin, row - RowsAhead));
        _inBounds.Open((uint)begin, (uint)end);
        _rows = block.UniformRows(out _heads, out _rowBytes, out _tailBytes);
        _hasHeads = cursor.TryHeadsAfter(prefixLength, out _headBase, out _headShift) && IsUniform;
        _aheadBytes = (long)_rowBytes * RowsAhead * step;
        // Beyond the block lies the next one, which the scan will read, unless the scan's limit is in this block.
        var isLimited = cursor.IsLimitedHere && IsUniform;
        _prefetchable = isLimited ? _rows + _rowBytes * (nuint)_inBounds.First : null;
        _prefetchableBytes = isLimited ? _rowBytes * (nuint)_inBounds.Count : nuint.MaxValue;
    }

    public void Leave() => _inBounds.Empty();

    /// <summary>The head of a row behind the scan's prefix.</summary>
    // SAFETY: the caller's row is in bounds, so the block has its head.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly unsafe ulong HeadOf(uint row) =>
        _headBase | _heads[row] >> _headShift;

    /// <summary>The eight key bytes behind <see cref="HeadOf"/>.</summary>
    // SAFETY: the caller's row is in bounds; eight bytes from its beginning are in the block, whose checksum follows
    // the last row.
    public readonly unsafe ulong HeadBehindHeadOf(uint row)
    {
        var tail = BinaryPrimitives.ReverseEndianness(Unsafe.ReadUnaligned<ulong>(_rows + (ulong)_rowBytes * row))
            & ~(ulong.MaxValue >> (int)(4 * _tailBytes) >> (int)(4 * _tailBytes));
        return (_heads[row] << 1 << (63 - _headShift)) | tail >> _headShift;
    }

    /// <summary>
    /// Writes what follows the block's prefix in a row's key, sixteen bytes whatever its length, and returns the
    /// address of the row's value. For rows of a uniform block.
    /// </summary>
    // SAFETY: the caller's row is in bounds, so its head and its bytes are in the block; so are eight bytes from its
    // beginning, since the block's checksum follows the last row. The caller has sixteen writable bytes at the
    // destination. A prefetch may name any address.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly unsafe byte* ReadKeyTail(uint row, byte* destination)
    {
        var begin = _rows + (ulong)_rowBytes * row;
        if ((nuint)(begin + _aheadBytes - _prefetchable) < _prefetchableBytes) Prefetch.Line(begin + _aheadBytes);
        Unsafe.WriteUnaligned(destination, BinaryPrimitives.ReverseEndianness(_heads[row]));
        Unsafe.WriteUnaligned(destination + KeyHead.Bytes, Unsafe.ReadUnaligned<ulong>(begin));
        return begin + _tailBytes;
    }
}
