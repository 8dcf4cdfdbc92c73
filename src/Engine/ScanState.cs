using Varve.Memory;
using Varve.Versions;

namespace Varve;

/// <summary>
/// One scan of a view: bounds, direction and the merged cursor. Kept with its view's context. One thread.
/// </summary>
internal sealed class ScanState(ViewContext context)
{
    private readonly MergeCursor _cursor = new();
    private readonly NativeBuffer _bounds = new();
    private int _fromLength;
    private int _toLength;
    private bool _isStarted;
    private bool _isOver;
    private bool _isBackward;

    public ReadOnlySpan<byte> Key => _cursor.Key;

    public ReadOnlySpan<byte> Value => _cursor.Value;

    public bool IsStarted => _isStarted;

    private ReadOnlySpan<byte> From => _bounds.Slice(0, _fromLength);

    private ReadOnlySpan<byte> To => _bounds.Slice(_fromLength, _toLength);

    /// <summary>Sets the bounds [from, to); empty is unbounded.</summary>
    public void SetRange(ReadOnlySpan<byte> from, ReadOnlySpan<byte> to)
    {
        var bounds = _bounds.Reserve(from.Length + to.Length);
        from.CopyTo(bounds);
        to.CopyTo(bounds[from.Length..]);
        (_fromLength, _toLength) = (from.Length, to.Length);
        (_isStarted, _isOver, _isBackward) = (false, false, false);
    }

    /// <summary>Bounds all keys that start with a prefix: up to the prefix counted up by one, which 0xFF bytes do not survive.</summary>
    public void SetPrefix(ReadOnlySpan<byte> prefix)
    {
        var toLength = prefix.Length;
        while (toLength > 0 && prefix[toLength - 1] == 0xFF) toLength--;
        var bounds = _bounds.Reserve(prefix.Length + toLength);
        prefix.CopyTo(bounds);
        prefix[..toLength].CopyTo(bounds[prefix.Length..]);
        if (toLength > 0) bounds[^1]++;
        (_fromLength, _toLength) = (prefix.Length, toLength);
        (_isStarted, _isOver, _isBackward) = (false, false, false);
    }

    public void Reverse() => _isBackward = !_isBackward;

    public bool MoveNext()
    {
        if (_isOver) return false;
        if (_isStarted) _cursor.Move();
        else Start();
        while (_cursor.IsValid && IsWithin())
        {
            if (context.IsLive(_cursor.Kind, _cursor.Deadline)) return true;
            _cursor.Move();
        }

        _isOver = true;
        return false;
    }

    public void Close()
    {
        if (_isStarted) _cursor.Close();
        _isStarted = false;
        _isOver = true;
    }

    private void Start()
    {
        _isStarted = true;
        var version = context.Version;
        _cursor.Open(version.Memtables, version.Runs, context.Position.Index);
        if (!_isBackward)
        {
            if (_fromLength == 0) _cursor.SeekFirst();
            else _cursor.Seek(From);
        }
        else if (_toLength == 0)
        {
            _cursor.SeekLast();
        }
        else
        {
            _cursor.SeekBefore(To);
        }
    }

    private bool IsWithin() =>
        _isBackward
            ? _fromLength == 0 || _cursor.Key.SequenceCompareTo(From) >= 0
            : _toLength == 0 || _cursor.Key.SequenceCompareTo(To) < 0;
}
