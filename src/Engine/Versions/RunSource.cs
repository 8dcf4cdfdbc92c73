using Varve.Format;
using Varve.Memory;
using Varve.Tables;

namespace Varve.Versions;

/// <summary>A run's rows: its tables one after the other. Keys are put together from their parts into a buffer of its own.</summary>
internal sealed unsafe class RunSource : Source, IDisposable
{
    private readonly NativeBuffer _key = new();
    private TableHandle[] _tables = [];
    private Run? _run;
    private TableCursor _cursor;
    private int _table;

    public override RecordKind Kind => _cursor.Row.Kind;

    public override ulong Deadline => _cursor.Row.Deadline;

    public override ReadOnlySpan<byte> Value => _cursor.Row.Value;

    public void Open(Run run)
    {
        _run = run;
        _tables = run.Tables;
        Enter(0);
        IsValid = false;
    }

    public void Close()
    {
        _run = null;
        _tables = [];
        _cursor = default;
        IsValid = false;
    }

    public override void SeekFirst()
    {
        Enter(0);
        Forward(_cursor.SeekFirst());
    }

    public override void SeekLast()
    {
        Enter(_tables.Length - 1);
        Backward(_cursor.SeekLast());
    }

    public override void Seek(ReadOnlySpan<byte> key)
    {
        var at = _run!.IndexFor(key);
        Enter(Math.Min(at, _tables.Length - 1));
        Forward(at < _tables.Length && _cursor.Seek(key));
    }

    public override void SeekBefore(ReadOnlySpan<byte> key)
    {
        Enter(Math.Min(_run!.IndexFor(key), _tables.Length - 1));
        Backward(_cursor.SeekBefore(key));
    }

    public override void MoveNext() => Forward(_cursor.MoveNext());

    public override void MovePrevious() => Backward(_cursor.MovePrevious());

    public void Dispose() => _key.Dispose();

    private void Enter(int table)
    {
        _table = table;
        _cursor = new TableCursor(_tables[table].Table);
    }

    private void Forward(bool found)
    {
        while (!found && _table + 1 < _tables.Length)
        {
            Enter(_table + 1);
            found = _cursor.SeekFirst();
        }

        Take(found);
    }

    private void Backward(bool found)
    {
        while (!found && _table > 0)
        {
            Enter(_table - 1);
            found = _cursor.SeekLast();
        }

        Take(found);
    }

    private void Take(bool found)
    {
        IsValid = found;
        if (!found) return;
        KeyLength = _cursor.KeyLength;
        _cursor.CopyKeyTo(_key.Reserve(KeyLength));
        KeyAddress = _key.Address;
        Head = _cursor.Head8;
    }
}
