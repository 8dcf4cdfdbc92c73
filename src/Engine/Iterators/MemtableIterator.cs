using Varve.Format;
using Varve.Memory;
using Varve.Memtables;

namespace Varve.Iterators;

/// <summary>
/// A memtable's rows as of a revision: rows that begin later are passed over, newer versions are walked past.
/// </summary>
internal sealed unsafe class MemtableIterator : MergeInput
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

    public void Close()
    {
        _memtable = null;
        _cursor = default;
        IsValid = false;
    }

    public override void Begin(bool backward, FixedBytes limit, int shared) =>
        (_backward, _limit, Shared) = (backward, limit, shared);

    public override void SeekFirst() => IsValid = _cursor.SeekFirst();

    public override void SeekLast() => IsValid = _cursor.SeekLast();

    public override void Seek(ReadOnlySpan<byte> key) => IsValid = _cursor.Seek(key);

    public override void SeekBefore(ReadOnlySpan<byte> key) => IsValid = _cursor.SeekBefore(key);

    public override void Arrive() => Settle(IsValid);

    public override void Step() => Settle(_backward ? _cursor.MovePrevious() : _cursor.MoveNext());

    protected override ulong HeadBehindHead() => KeyHead.Of(Key, Shared + KeyHead.Bytes);

    private void Settle(bool found)
    {
        while (found && !Take()) found = _backward ? _cursor.MovePrevious() : _cursor.MoveNext();
        IsValid = found && IsInside();
    }

    private bool IsInside()
    {
        if (_limit.Length == 0) return true;
        var order = Key.SequenceCompareTo(_limit.Span);
        return _backward ? order >= 0 : order < 0;
    }

    private bool Take()
    {
        var segment = _memtable!.Segment.Base;
        for (var reference = _cursor.Reference; reference != 0;)
        {
            var view = new WalOperationView(segment + (long)reference * WalOperation.Alignment);
            if (view.Index <= _revision)
            {
                KeyAddress = view.Start + WalOperation.HeaderSize;
                KeyLength = view.KeyLength;
                ValueAddress = KeyAddress + KeyLength;
                ValueLength = view.ValueLength;
                Kind = view.Kind;
                if (!IsAlone) Head = KeyHead.Of(view.Key, Shared);
                return true;
            }

            reference = view.Prior;
        }

        return false;
    }
}
