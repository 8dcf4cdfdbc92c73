using Varve.Format;
using Varve.Memtables;

namespace Varve.Versions;

/// <summary>A memtable's rows as of a revision: rows that begin later are passed over, newer versions are walked past.</summary>
internal sealed unsafe class MemtableSource : Source
{
    private Memtable? _memtable;
    private MemtableCursor _cursor;
    private ulong _revision;
    private WalOperationView _row;

    public override RecordKind Kind => _row.Kind;

    public override ulong Deadline => _row.Deadline;

    public override ReadOnlySpan<byte> Value => _row.Value;

    public void Open(Memtable memtable, ulong revision)
    {
        _memtable = memtable;
        _cursor = new MemtableCursor(memtable.Index);
        _revision = revision;
        IsValid = false;
    }

    public void Close()
    {
        _memtable = null;
        _cursor = default;
        IsValid = false;
    }

    public override void SeekFirst() => Forward(_cursor.SeekFirst());

    public override void SeekLast() => Backward(_cursor.SeekLast());

    public override void Seek(ReadOnlySpan<byte> key) => Forward(_cursor.Seek(key));

    public override void SeekBefore(ReadOnlySpan<byte> key) => Backward(_cursor.SeekBefore(key));

    public override void MoveNext() => Forward(_cursor.MoveNext());

    public override void MovePrevious() => Backward(_cursor.MovePrevious());

    private void Forward(bool found)
    {
        while (found && !Take()) found = _cursor.MoveNext();
        IsValid = found;
    }

    private void Backward(bool found)
    {
        while (found && !Take()) found = _cursor.MovePrevious();
        IsValid = found;
    }

    private bool Take()
    {
        var segment = _memtable!.Segment.Base;
        for (var reference = _cursor.Reference; reference != 0;)
        {
            var view = new WalOperationView(segment + (long)reference * WalOperation.Alignment);
            if (view.Index <= _revision)
            {
                _row = view;
                KeyAddress = view.Start + WalOperation.HeaderSize;
                KeyLength = view.KeyLength;
                Head = HeadOf(view.Key);
                return true;
            }

            reference = view.Prior;
        }

        return false;
    }
}
