using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;
using Varve.Format;
using Varve.Iterators;
using Varve.Memory;

namespace Varve.Reading;

/// <summary>
/// A scan of a view: bounds, direction and the merged cursor. Its session keeps it and uses it for another scan later;
/// the stamp tells the two apart. One thread.
/// </summary>
internal sealed class PrefixScan(ReadSession session) : IDisposable
{
    public const string NoEntry =
        "The scan stands on no entry: it is before its first MoveNext, after its end, or failed.";

    private readonly MergingIterator _cursor = new();
    private readonly NativeBuffer _bounds = new();
    private readonly NativeBuffer _target = new(); // the key of the last seek, and a zero byte
    private RunIterator? _leader;
    private MergeInput? _current;
    private int _fromLength;
    private int _toLength;
    private int _targetLength;
    private bool _isSought;
    private bool _isStarted;
    private bool _isPlaced;
    private bool _isBackward;
    private ExceptionDispatchInfo? _failure;

    /// <summary>The merge input that stands on the scan's entry.</summary>
    public MergeInput Current => _current ?? ThrowNoEntry();

    /// <summary>True once the scan has moved.</summary>
    public bool IsStarted => _isStarted;

    /// <summary>The session of its view.</summary>
    public ReadSession Session => session;

    /// <summary>The stamp of the scan that it serves; 0: none.</summary>
    public long Stamp { get; private set; }

    /// <summary>Its index among the session's scans.</summary>
    public int Place { get; set; }

    /// <summary>Sets the bounds [from, to); empty is unbounded.</summary>
    public void SetRange(ReadOnlySpan<byte> from, ReadOnlySpan<byte> to)
    {
        var bounds = _bounds.Reserve(from.Length + to.Length);
        from.CopyTo(bounds);
        to.CopyTo(bounds[from.Length..]);
        (_fromLength, _toLength) = (from.Length, to.Length);
        (_isStarted, _isPlaced, _isBackward, _isSought) = (false, false, false, false);
    }

    /// <summary>
    /// Sets the bounds of a prefix. Upper bound: the prefix without trailing 0xFF, its last byte plus one.
    /// </summary>
    public void SetPrefix(ReadOnlySpan<byte> prefix)
    {
        var toLength = prefix.Length;
        while (toLength > 0 && prefix[toLength - 1] == 0xFF) toLength--;
        var bounds = _bounds.Reserve(prefix.Length + toLength);
        prefix.CopyTo(bounds);
        prefix[..toLength].CopyTo(bounds[prefix.Length..]);
        if (toLength > 0) bounds[^1]++;
        (_fromLength, _toLength) = (prefix.Length, toLength);
        (_isStarted, _isPlaced, _isBackward, _isSought) = (false, false, false, false);
    }

    public void Reverse() => _isBackward = !_isBackward;

    /// <summary>The next step goes to the first live entry at or after a key, in the scan's direction.</summary>
    public void Seek(ReadOnlySpan<byte> key)
    {
        var target = _target.Reserve(key.Length + 1);
        key.CopyTo(target);
        target[^1] = 0;
        (_targetLength, _isSought, _isPlaced) = (key.Length, true, false);
        (_leader, _current) = (null, null);
    }

    /// <summary>
    /// Steps to the next live entry. A failure ends the scan: every further call throws it again, so that no caller
    /// takes a part for the whole.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool MoveNext() =>
        _leader is { } leader && leader.TryStepInWindow()
            ? leader.Kind == RecordKind.Put || MoveOn(hasStepped: true)
            : MoveOn(hasStepped: false);

    /// <summary>Starts to serve a scan.</summary>
    public void Begin(long stamp) => Stamp = stamp;

    /// <summary>Ends the scan: its enumerators no longer match the stamp.</summary>
    public void End()
    {
        Stamp = 0;
        (_leader, _current, _failure, _isStarted, _isPlaced) = (null, null, null, true, true);
    }

    /// <summary>Frees its memory.</summary>
    public void Dispose()
    {
        _cursor.Dispose();
        _bounds.Dispose();
        _target.Dispose();
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool MoveOn(bool hasStepped)
    {
        _failure?.Throw();
        try
        {
            if (!_isPlaced) PlaceCursor();
            else if (_current is null) return false;
            else if (!hasStepped) _cursor.Move();
            return SettleOnLive();
        }
        catch (Exception e)
        {
            (_leader, _current, _failure) = (null, null, ExceptionDispatchInfo.Capture(e));
            throw;
        }
    }

    [DoesNotReturn]
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static MergeInput ThrowNoEntry() =>
        throw new InvalidOperationException(NoEntry);

    /// <summary>Moves the cursor to the next live entry, which may be the present one.</summary>
    private bool SettleOnLive()
    {
        while (_cursor.Current is { } current && !session.IsLive(current.Kind, current.Deadline)) _cursor.Move();
        if (_current != _cursor.Current) _current = _cursor.Current;
        if (_leader != _cursor.Leader) _leader = _cursor.Leader;
        if (_current is not null) return true;
        if (!_isSought) session.EndScan(this);
        return false;
    }

    /// <summary>Moves the cursor to the scan's bound, or to the key that was sought inside of the bounds.</summary>
    private void PlaceCursor()
    {
        if (!_isStarted) _cursor.Open(session.Version.Memtables, session.Version.Runs, session.Position.Index);
        (_isStarted, _isPlaced) = (true, true);
        FixedBytes from = _bounds.Slice(0, _fromLength), to = _bounds.Slice(_fromLength, _toLength);
        var shared = from.Span.CommonPrefixLength(to.Span);
        if (_isBackward) PlaceBefore(from, to, shared);
        else PlaceAt(from, to, shared);
    }

    private void PlaceAt(FixedBytes from, FixedBytes to, int shared)
    {
        var target = _isSought ? _target.Slice(0, _targetLength) : default;
        var isInside = target.Span.SequenceCompareTo(from.Span) > 0;
        if (isInside && to.Length > 0 && target.Span.SequenceCompareTo(to.Span) >= 0) _cursor.SeekNone();
        else if (isInside) _cursor.Seek(target.Span, to, shared);
        else if (from.Length > 0) _cursor.Seek(from.Span, to, shared);
        else _cursor.SeekFirst(to, shared);
    }

    private void PlaceBefore(FixedBytes from, FixedBytes to, int shared)
    {
        // At or before the target is before its successor, which is the target and a zero byte.
        var next = _isSought ? _target.Slice(0, _targetLength + 1) : default;
        var isInside = _isSought && (to.Length == 0 || next.Span.SequenceCompareTo(to.Span) < 0);
        if (isInside && next.Span.SequenceCompareTo(from.Span) <= 0) _cursor.SeekNone();
        else if (isInside) _cursor.SeekBefore(next.Span, from, shared);
        else if (to.Length > 0) _cursor.SeekBefore(to.Span, from, shared);
        else _cursor.SeekLast(from, shared);
    }
}
