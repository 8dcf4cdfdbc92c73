namespace Varve.Format;

/// <summary>
/// Walks the operations of a record in order. Safe on hostile bytes: an operation is checked for shape before anything
/// is read of it.
/// </summary>
internal ref struct WalOperationReader
{
    private readonly ReadOnlySpan<byte> _record;
    private readonly long _offset;
    private readonly ulong _firstIndex;
    private readonly ulong _lastIndex;
    private int _left;
    private int _at;
    private int _next;

    public WalOperationReader(scoped in WalRecordView record)
    {
        _record = record.Bytes;
        _offset = record.Offset;
        _firstIndex = record.Header.FirstIndex;
        _lastIndex = record.Header.LastIndex;
        _left = record.Header.OperationCount;
        _next = WalRecordHeader.Size + record.Header.PayloadLength;
    }

    /// <summary>Offset of the current operation in the segment.</summary>
    public readonly long Offset => _offset + _at;

    /// <summary>The current operation's bytes.</summary>
    public readonly ReadOnlySpan<byte> Current => _record[_at.._next];

    public readonly OperationRef Reference => OperationRef.FromOffset(Offset);

    /// <summary>The fault that ended the walk, at an offset within the operation at <see cref="Offset"/>.</summary>
    public DecodeError Error { get; private set; }

    /// <summary>Moves to the next operation; false after the last, and at one with a fault.</summary>
    public bool MoveNext()
    {
        _at = _next;
        if (_left == 0) return false;
        _left--;
        if (WalOperation.TryMeasure(_record[_at..], out var size, out var error))
        {
            _next = _at + size;
            return true;
        }

        Error = error;
        _left = 0;
        return false;
    }

    /// <summary>
    /// Moves to the next operation like <see cref="MoveNext"/>, and checks that each operation belongs to an entry of
    /// the record and that the last one ends with the record.
    /// </summary>
    public bool MoveNextOfRecord()
    {
        if (!MoveNext())
        {
            if (!Error.IsFault && _at != _record.Length)
                Error = new DecodeError(0, "operations", "do not end where the record ends");
            return false;
        }

        var index = WalOperation.IndexOf(_record[_at..]);
        if (index >= _firstIndex && index <= _lastIndex) return true;
        Error = new DecodeError(0, "operation", "belongs to no entry of the record");
        return false;
    }
}
