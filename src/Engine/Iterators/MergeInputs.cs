using Varve.Memtables;
using Varve.Tables;

namespace Varve.Iterators;

/// <summary>
/// The inputs of a scan's merge, newest first: memtables, then runs. Input objects and their buffers stay from scan to
/// scan, so that a warm scan allocates nothing. One thread at a time.
/// </summary>
internal sealed class MergeInputs : IDisposable
{
    private readonly List<MemtableIterator> _memtables = [];
    private readonly List<RunIterator> _runs = [];
    private MergeInput[] _inputs = [];
    private int _opened;

    /// <summary>The inputs of the present scan.</summary>
    public ReadOnlySpan<MergeInput> Opened => new(_inputs, 0, _opened);

    /// <summary>Opens the inputs of a scan: memtables as of a revision, and runs, each newest first.</summary>
    public void Open(ReadOnlySpan<Memtable> memtables, ReadOnlySpan<Run> runs, ulong revision)
    {
        var count = memtables.Length + runs.Length;
        if (_inputs.Length < count) _inputs = new MergeInput[count * 2];
        while (_memtables.Count < memtables.Length) _memtables.Add(new MemtableIterator());
        while (_runs.Count < runs.Length) _runs.Add(new RunIterator());
        _opened = 0;
        for (var i = 0; i < memtables.Length; i++)
        {
            if (memtables[i].Index.KeyCount == 0) continue; // the revision sees nothing in it
            _memtables[i].Open(memtables[i], revision);
            Add(_memtables[i]);
        }

        for (var i = 0; i < runs.Length; i++)
        {
            _runs[i].Open(runs[i]);
            Add(_runs[i]);
        }
    }

    /// <summary>Drops the references to memtables and tables.</summary>
    public void Release()
    {
        foreach (var input in _memtables) input.Release();
        foreach (var input in _runs) input.Release();
        _opened = 0;
    }

    public void Dispose()
    {
        foreach (var run in _runs) run.Dispose();
    }

    private void Add(MergeInput input)
    {
        if (_inputs[_opened] != input) _inputs[_opened] = input; // no write barrier where it stays the same
        _opened++;
    }
}
