using System.Numerics;
using System.Runtime.CompilerServices;
using Varve.Format;
using Varve.Memory;
using Varve.Memtables;
using Varve.Tables;

namespace Varve.Iterators;

/// <summary>
/// The merge of a scan: memtables and runs as one sorted sequence, forward or backward, in which the newest version of
/// a key hides the older ones. Tombstones and expired leases are in the sequence; the scan skips them.
/// <para>
/// <b>Problem.</b> A scan has many inputs, and most of its rows come from one of them: the bottom run holds most of the
/// database. So a row of the leading input should cost no search among the others. <b>Invariants:</b>
/// </para>
/// <list type="number">
/// <item>Each live input stands on a row. They are in the order of age, newest first.</item>
/// <item>The winner has the smallest key (backward: the largest) and is the newest input with that key. The merge
/// stands on its row.</item>
/// <item>The runner-up comes first among the others. While the winner's key stays before the runner-up's, the winner
/// steps alone: one comparison of two heads a row, however many inputs there are.</item>
/// <item>A window is open while <see cref="Leader"/> is the winner. Its rows come before the runner-up's row, so none
/// of them has an older version. The winner's head is not kept up to date in a window.</item>
/// </list>
/// <para>
/// <b>A scan steps the leading run itself.</b> It keeps <see cref="Leader"/> and calls
/// <see cref="RunIterator.TryStepInWindow"/>, inlined into it, while <see cref="Current"/> stays the same; it calls
/// <see cref="Move"/> where the window ends. Opening a window searches a block, so a run opens its first one after
/// three wins in a row.
/// </para>
/// <para>
/// <b>Why not</b> a loser tree, the usual design: it mispredicts about one branch a row, also where one input wins a
/// thousand times in a row. <b>Why two merges:</b> <see cref="CompactionMerge"/> has no leader, since the runs of a
/// compaction take turns; it searches for every row and needs no direction, limits, memtables or reuse. Both search
/// with <see cref="HeadTournament"/>.
/// </para>
/// Reusable: a scan allocates nothing once its engine is warm. One thread at a time.
/// </summary>
internal sealed class MergingIterator : IDisposable
{
    private const int StaysBeforeWindow = 2; // inputs that take turns would open windows of a row or two

    private readonly List<MemtableIterator> _memtables = [];
    private readonly List<RunIterator> _runs = [];
    private MergeInput[] _inputs = [];
    private MergeInput[] _live = [];
    private HeadTournament _heads = new(); // of the live inputs; complemented in a backward scan
    private int _opened;
    private int _stays; // how often in a row the winner has won again
    private int _winner;
    private int _runnerUp;
    private bool _backward;

    public bool IsValid => Current is not null;

    public ReadOnlySpan<byte> Key => Current!.Key;

    public RecordKind Kind => Current!.Kind;

    public ulong Deadline => Current!.Deadline;

    public ReadOnlySpan<byte> Value => Current!.Value;

    /// <summary>The input that stands on the row of the merge; null if there is no row.</summary>
    public MergeInput? Current { get; private set; }

    /// <summary>
    /// <see cref="Current"/> if it is a run with a window: <see cref="RunIterator.TryStepInWindow"/> replaces
    /// <see cref="Move"/> until it returns false.
    /// </summary>
    public RunIterator? Leader { get; private set; }

    /// <summary>Opens over memtables as of a revision and over runs, each newest first.</summary>
    public void Open(ReadOnlySpan<Memtable> memtables, ReadOnlySpan<Run> runs, ulong revision)
    {
        var count = memtables.Length + runs.Length;
        if (_inputs.Length < count) (_inputs, _live) = (new MergeInput[count * 2], new MergeInput[count * 2]);
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

        (Current, Leader) = (null, null);
    }

    /// <summary>Drops the references to memtables and tables; buffers stay for the next scan.</summary>
    public void Release()
    {
        foreach (var input in _memtables) input.Release();
        foreach (var input in _runs) input.Release();
        (Current, Leader) = (null, null);
        _opened = 0;
    }

    public void SeekFirst() => SeekFirst(default, 0);

    /// <summary>Moves to no row: the scan has none where it was sought.</summary>
    public void SeekNone() => (Current, Leader) = (null, null);

    /// <summary>Moves to the first row of all, to step forward from there up to a limit.</summary>
    /// <param name="limit">The first key outside the scan; empty for no limit.</param>
    /// <param name="prefixLength">The number of first bytes that all keys of the scan have in common.</param>
    public void SeekFirst(FixedBytes limit, int prefixLength)
    {
        Begin(backward: false, limit, prefixLength);
        for (var i = 0; i < _opened; i++) _inputs[i].SeekFirst();
        Start();
    }

    /// <summary>
    /// Moves to the last row of all, to step backward. <paramref name="limit"/> is the smallest key inside the scan.
    /// </summary>
    public void SeekLast(FixedBytes limit, int prefixLength)
    {
        Begin(backward: true, limit, prefixLength);
        for (var i = 0; i < _opened; i++) _inputs[i].SeekLast();
        Start();
    }

    /// <summary>As <see cref="SeekFirst(FixedBytes, int)"/>, from the first row at or above a key.</summary>
    public void Seek(ReadOnlySpan<byte> key, FixedBytes limit, int prefixLength)
    {
        Begin(backward: false, limit, prefixLength);
        for (var i = 0; i < _opened; i++) _inputs[i].Prepare(key);
        for (var i = 0; i < _opened; i++) _inputs[i].Seek(key);
        Start();
    }

    /// <summary>As <see cref="SeekLast"/>, from the last row below a key.</summary>
    public void SeekBefore(ReadOnlySpan<byte> key, FixedBytes limit, int prefixLength)
    {
        Begin(backward: true, limit, prefixLength);
        for (var i = 0; i < _opened; i++) _inputs[i].Prepare(key);
        for (var i = 0; i < _opened; i++) _inputs[i].SeekBefore(key);
        Start();
    }

    /// <summary>Steps to the next key in the direction of the last seek.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Move()
    {
        if (Leader is null || !Leader.TryStepInWindow()) MoveOn();
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

    private void Begin(bool backward, FixedBytes limit, int prefixLength)
    {
        (_backward, _stays, Leader) = (backward, 0, null); // an earlier seek may have left a window
        for (var i = 0; i < _opened; i++)
        {
            _inputs[i].IsAlone = false;
            _inputs[i].Begin(backward, limit, prefixLength);
        }
    }

    private void Start()
    {
        for (var i = 0; i < _opened; i++) _inputs[i].Arrive();
        var count = 0;
        for (var i = 0; i < _opened; i++)
        {
            if (!_inputs[i].IsValid) continue;
            if (_live[count] != _inputs[i]) _live[count] = _inputs[i];
            count++;
        }

        _heads.Begin(count);
        for (var i = 0; i < count; i++) SetHead(i);
        FindWinner();
        if (_runnerUp < 0) OpenWindow();
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void MoveOn()
    {
        var winner = Current!;
        if (Leader is null) SkipOlderVersions(winner);
        winner.Step();
        if (!winner.IsValid)
        {
            RemoveLive(_winner);
            FindWinner();
            Leader = null;
            if (_runnerUp < 0) OpenWindow();
            return;
        }

        SetHead(_winner);
        if (_runnerUp < 0 || Leads(_winner, _runnerUp))
        {
            if (Leader is not null || ++_stays >= StaysBeforeWindow) OpenWindow();
        }
        else
        {
            // No other input comes before the runner-up.
            _winner = _runnerUp;
            Current = _live[_winner];
            Leader = null;
            _stays = 0;
            FindRunnerUp();
        }
    }

    /// <summary>Steps every other input that stands on the winner's key: what it has is older (I9).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void SkipOlderVersions(MergeInput winner)
    {
        while (_runnerUp >= 0 && _heads[_winner] == _heads[_runnerUp] && winner.CompareTo(_live[_runnerUp]) == 0)
        {
            var older = _runnerUp;
            _live[older].Step();
            if (_live[older].IsValid) SetHead(older);
            else RemoveLive(older);
            FindRunnerUp();
        }
    }

    private void OpenWindow()
    {
        _stays = 0;
        Leader = Current is RunIterator run && run.TryOpenWindow(_runnerUp < 0 ? null : _live[_runnerUp]) ? run : null;
    }

    /// <summary>Takes out an input without a further row. The order of the others stays.</summary>
    private void RemoveLive(int ended)
    {
        _heads.Remove(ended);
        for (var i = ended; i < _heads.Count; i++) _live[i] = _live[i + 1];
        if (_winner > ended) _winner--;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void SetHead(int input) => _heads.Set(input, _backward ? ~_live[input].Head : _live[input].Head);

    /// <summary>True if input <paramref name="a"/> comes before input <paramref name="b"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool Leads(int a, int b) => _heads[a] != _heads[b] ? _heads[a] < _heads[b] : LeadsByWholeKey(a, b);

    private bool LeadsByWholeKey(int a, int b)
    {
        var order = _live[a].CompareTo(_live[b]);
        if (order == 0) return a < b;
        return order < 0 != _backward;
    }

    private void FindWinner()
    {
        if (_heads.Count == 1) _live[0].IsAlone = true;
        _winner = First(except: -1);
        Current = _winner < 0 ? null : _live[_winner];
        FindRunnerUp();
    }

    private void FindRunnerUp() => _runnerUp = First(_winner);

    /// <summary>The input that comes before all others but one; -1 if there is none.</summary>
    private int First(int except)
    {
        if (_heads.Count > HeadTournament.SearchableInputsMax) return FirstOfMany(except);
        var tied = _heads.Smallest(except);
        if (tied == 0) return -1;
        var first = BitOperations.TrailingZeroCount(tied);
        for (tied &= tied - 1; tied != 0; tied &= tied - 1)
        {
            var other = BitOperations.TrailingZeroCount(tied);
            if (LeadsByWholeKey(other, first)) first = other;
        }

        return first;
    }

    private int FirstOfMany(int except)
    {
        var first = -1;
        for (var i = 0; i < _heads.Count; i++)
            if (i != except && (first < 0 || Leads(i, first))) first = i;
        return first;
    }
}
