using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Varve.Format;

/// <summary>
/// Walks the records of a segment in order, up to the first offset without a valid one. Safe on hostile bytes: each
/// record is read within the segment, and only after its checksum.
/// </summary>
internal ref struct WalRecordReader
{
    private readonly ref readonly byte _segment;
    private readonly long _length;
    private readonly ulong _salt;
    private WalRecordView _current;
    private DecodeError _error;

    /// <param name="segment">The first byte of the segment, which the caller keeps mapped for the walk.</param>
    /// <param name="length">Bytes of the segment.</param>
    /// <param name="salt">The segment's salt.</param>
    /// <param name="from">Offset of the first record.</param>
    public WalRecordReader(ref readonly byte segment, long length, ulong salt, long from)
    {
        _segment = ref segment;
        _length = length;
        _salt = salt;
        Next = from;
    }

    /// <param name="segment">The segment from its header on.</param>
    /// <param name="salt">The segment's salt.</param>
    public WalRecordReader(ReadOnlySpan<byte> segment, ulong salt)
        : this(in MemoryMarshal.GetReference(segment), segment.Length, salt, WalSegmentHeader.Size)
    {
    }

    /// <summary>The record that the last move went to.</summary>
    [UnscopedRef]
    public readonly ref readonly WalRecordView Current => ref _current;

    /// <summary>
    /// Offset of the record after the current one; once a move failed, the end of the records in the segment.
    /// </summary>
    public long Next { get; private set; }

    /// <summary>The reason why <see cref="MoveNext"/> found no valid record at <see cref="Next"/>.</summary>
    public readonly DecodeError Error => _error;

    /// <summary>Moves to the next record and verifies it; false at the end.</summary>
    public bool MoveNext()
    {
        var source = From(Next);
        if (!WalRecordHeader.TryRead(source, Next, _salt, out var header, out _error)) return false;
        MoveTo(header, source);
        return true;
    }

    /// <summary>
    /// Moves to the next record without its checksum; false at the end. The caller knows that the record is complete:
    /// this process wrote or verified it.
    /// </summary>
    public bool MoveNextVerified()
    {
        var source = From(Next);
        if (!WalRecordHeader.TryReadVerified(source, Next, out var header)) return false;
        MoveTo(header, source);
        return true;
    }

    private void MoveTo(scoped in WalRecordHeader header, ReadOnlySpan<byte> source)
    {
        _current = new WalRecordView(header, source);
        Next += header.Length;
    }

    // SAFETY: the bytes from the offset to the segment's end are within what the constructor's caller keeps mapped.
    private readonly ReadOnlySpan<byte> From(long offset) =>
        offset >= _length
            ? default
            : MemoryMarshal.CreateReadOnlySpan(
                in Unsafe.Add(ref Unsafe.AsRef(in _segment), (nint)offset),
                (int)Math.Min(_length - offset, int.MaxValue));
}
