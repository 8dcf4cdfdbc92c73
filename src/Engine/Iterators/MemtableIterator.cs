using Varve.Format;
using Varve.Memory;
using Varve.Memtables;

namespace Varve.Iterators;

/// <summary>
/// A memtable as an input of a scan's merge: of each key its newest version at or below the scan's revision. Keys that
/// have only newer versions are skipped.
/// </summary>
internal sealed class MemtableIterator : MergeInput
{
    private Memtable? _memtable;
    private MemtableCursor _cursor;
    private ulong _revision;
    private FixedBytes _limit;
    private bool _backward;

    public void Open(Memtable memtable, ulong revision)
    {
        _revision = revision;
        IsValid = false;
        if (_memtable == memtable) return;
        _memtable = memtable;
        _cursor = new MemtableCursor(memtable.Index);
    }

    /// <summary>Drops the reference to the memtable.</summary>
    public void Release()
    {
        _memtable = null;
        _cursor = default;
        IsValid = false;
    }

    public override void Begin(bool backward, FixedBytes limit, int prefixLength) =>
        (_backward, _limit, PrefixLength) = (backward, limit, prefixLength);

    public override void SeekFirst() => IsValid = _cursor.SeekFirst();

    public override void SeekLast() => IsValid = _cursor.SeekLast();

    public override void Seek(ReadOnlySpan<byte> key) => IsValid = _cursor.Seek(key);

    public override void SeekBefore(ReadOnlySpan<byte> key) => IsValid = _cursor.SeekBefore(key);

    public override void Arrive() => ReadFrom(IsValid);

    public override void Step() => ReadFrom(_backward ? _cursor.MovePrevious() : _cursor.MoveNext());

    protected override ulong HeadBehindHead() => KeyHead.Of(Key, PrefixLength + KeyHead.Bytes);

    /// <summary>Reads the first key, from the cursor's on, that has a version at the scan's revision.</summary>
    private void ReadFrom(bool found)
    {
        while (found && !TryRead()) found = _backward ? _cursor.MovePrevious() : _cursor.MoveNext();
        IsValid = found && IsInside();
    }

    private bool IsInside()
    {
        if (_limit.Length == 0) return true;
        var order = Key.SequenceCompareTo(_limit.Span);
        return _backward ? order >= 0 : order < 0;
    }

    // SAFETY: the index refers only to whole operations of the memtable's segment, which stays mapped while the scan's
    // version has the memtable. Each operation's lengths cover its own key and value (I2).
    private unsafe bool TryRead()
    {
        var segment = _memtable!.Segment.Base;
        for (var reference = _cursor.Reference; !reference.IsNone;)
        {
            var view = reference.At(segment);
            if (view.Index <= _revision)
            {
                KeyAddress = view.KeyAddress;
                KeyLength = view.KeyLength;
                ValueAddress = view.ValueAddress;
                ValueLength = view.ValueLength;
                Kind = view.Kind;
                if (!IsAlone) Head = KeyHead.Of(view.Key, PrefixLength);
                return true;
            }

            reference = view.Prior;
        }

        return false;
    }
}
