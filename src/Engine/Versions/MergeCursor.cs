using Varve.Format;

namespace Varve.Versions;

/// <summary>
/// Merges sources into one sorted sequence in which the newest version of a key wins; tombstones and expired leases are still
/// in it. Forward or backward, decided by the first seek. Sources stand in the order of age, newest first.
/// <para>
/// The winner is the source with the smallest key (largest, backward), the newest where keys are equal. While the winner stays
/// below the runner-up it moves on alone: one comparison of two heads a row, however many sources there are.
/// </para>
/// Reusable, so that a scan allocates nothing once its engine is warm. One thread at a time.
/// </summary>
internal sealed class MergeCursor : IDisposable
{
    private readonly List<MemtableSource> _memtables = [];
    private readonly List<RunSource> _runs = [];
    private Source[] _sources = [];
    private int _count;
    private int _winner;
    private int _runnerUp;
    private bool _backward;

    public bool IsValid => _winner >= 0;

    public ReadOnlySpan<byte> Key => _sources[_winner].Key;

    public RecordKind Kind => _sources[_winner].Kind;

    public ulong Deadline => _sources[_winner].Deadline;

    public ReadOnlySpan<byte> Value => _sources[_winner].Value;

    /// <summary>Opens over memtables as of a revision and over runs, each newest first. Ends with <see cref="Close"/>.</summary>
    public void Open(ReadOnlySpan<Memtable> memtables, ReadOnlySpan<Run> runs, ulong revision)
    {
        var count = memtables.Length + runs.Length;
        if (_sources.Length < count) _sources = new Source[count * 2];
        while (_memtables.Count < memtables.Length) _memtables.Add(new MemtableSource());
        while (_runs.Count < runs.Length) _runs.Add(new RunSource());
        _count = 0;
        for (var i = 0; i < memtables.Length; i++)
        {
            _memtables[i].Open(memtables[i], revision);
            _sources[_count++] = _memtables[i];
        }

        for (var i = 0; i < runs.Length; i++)
        {
            _runs[i].Open(runs[i]);
            _sources[_count++] = _runs[i];
        }

        _winner = -1;
    }

    /// <summary>Lets go of memtables and tables.</summary>
    public void Close()
    {
        foreach (var source in _memtables) source.Close();
        foreach (var source in _runs) source.Close();
        Array.Clear(_sources);
        _count = 0;
        _winner = -1;
    }

    public void SeekFirst()
    {
        for (var i = 0; i < _count; i++) _sources[i].SeekFirst();
        Settle(backward: false);
    }

    public void SeekLast()
    {
        for (var i = 0; i < _count; i++) _sources[i].SeekLast();
        Settle(backward: true);
    }

    /// <summary>Goes to the first row at or above a key, to move forward from there.</summary>
    public void Seek(ReadOnlySpan<byte> key)
    {
        for (var i = 0; i < _count; i++) _sources[i].Seek(key);
        Settle(backward: false);
    }

    /// <summary>Goes to the last row below a key, to move backward from there.</summary>
    public void SeekBefore(ReadOnlySpan<byte> key)
    {
        for (var i = 0; i < _count; i++) _sources[i].SeekBefore(key);
        Settle(backward: true);
    }

    /// <summary>Steps in the direction of the last seek; every older version of the row's key is passed over.</summary>
    public void Move()
    {
        var winner = _sources[_winner];
        if (_runnerUp < 0)
        {
            Step(winner);
            if (!winner.IsValid) _winner = -1;
            return;
        }

        // Older versions of the same key stand at the front of their sources.
        while (_runnerUp >= 0 && winner.CompareTo(_sources[_runnerUp]) == 0)
        {
            Step(_sources[_runnerUp]);
            FindRunnerUp();
        }

        Step(winner);
        if (!winner.IsValid || (_runnerUp >= 0 && !Leads(_winner, _runnerUp))) FindWinner();
    }

    public void Dispose()
    {
        foreach (var run in _runs) run.Dispose();
    }

    private void Settle(bool backward)
    {
        _backward = backward;
        FindWinner();
    }

    private void Step(Source source)
    {
        if (_backward) source.MovePrevious();
        else source.MoveNext();
    }

    /// <summary>Whether source <paramref name="a"/> comes before source <paramref name="b"/>.</summary>
    private bool Leads(int a, int b)
    {
        var order = _sources[a].CompareTo(_sources[b]);
        if (order == 0) return a < b;
        return order < 0 != _backward;
    }

    private void FindWinner()
    {
        _winner = -1;
        for (var i = 0; i < _count; i++)
            if (_sources[i].IsValid && (_winner < 0 || Leads(i, _winner))) _winner = i;
        FindRunnerUp();
    }

    private void FindRunnerUp()
    {
        _runnerUp = -1;
        for (var i = 0; i < _count; i++)
            if (i != _winner && _sources[i].IsValid && (_runnerUp < 0 || Leads(i, _runnerUp))) _runnerUp = i;
    }
}
