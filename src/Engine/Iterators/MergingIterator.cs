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
/// <para>
/// <b>Parts.</b> <see cref="MergeInputs"/> keeps the inputs from scan to scan; <see cref="InputOrder"/> finds the one
/// that comes first. This class decides when to ask: it has the winner, the runner-up and the window.
/// </para>
/// Reusable: a scan allocates nothing once its engine is warm. One thread at a time.
/// </summary>
internal sealed class MergingIterator : IDisposable
{
    private const int StaysBeforeWindow = 2; // inputs that take turns would open windows of a row or two

    private readonly MergeInputs _inputs = new();
    private InputOrder _order = new();
    private int _stays; // how often in a row the winner has won again
    private int _winner;
    private int _runnerUp; // -1: the winner is the only input

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
        _inputs.Open(memtables, runs, revision);
        SeekNone();
    }

    /// <summary>Drops the references to memtables and tables; buffers stay for the next scan.</summary>
    public void Release()
    {
        _inputs.Release();
        SeekNone();
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
        foreach (var input in _inputs.Opened) input.SeekFirst();
        Start(backward: false);
    }

    /// <summary>
    /// Moves to the last row of all, to step backward. <paramref name="limit"/> is the smallest key inside the scan.
    /// </summary>
    public void SeekLast(FixedBytes limit, int prefixLength)
    {
        Begin(backward: true, limit, prefixLength);
        foreach (var input in _inputs.Opened) input.SeekLast();
        Start(backward: true);
    }

    /// <summary>
    /// Begins a walk forward at the first row at or above a key; otherwise like
    /// <see cref="SeekFirst(FixedBytes, int)"/>.
    /// </summary>
    public void Seek(ReadOnlySpan<byte> key, FixedBytes limit, int prefixLength)
    {
        Begin(backward: false, limit, prefixLength);
        foreach (var input in _inputs.Opened) input.Prepare(key);
        foreach (var input in _inputs.Opened) input.Seek(key);
        Start(backward: false);
    }

    /// <summary>
    /// Begins a walk backward at the last row below a key; otherwise like <see cref="SeekLast"/>.
    /// </summary>
    public void SeekBefore(ReadOnlySpan<byte> key, FixedBytes limit, int prefixLength)
    {
        Begin(backward: true, limit, prefixLength);
        foreach (var input in _inputs.Opened) input.Prepare(key);
        foreach (var input in _inputs.Opened) input.SeekBefore(key);
        Start(backward: true);
    }

    /// <summary>Steps to the next key in the direction of the last seek.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Move()
    {
        if (Leader is null || !Leader.TryStepInWindow()) MoveOn();
    }

    public void Dispose() => _inputs.Dispose();

    private void Begin(bool backward, FixedBytes limit, int prefixLength)
    {
        (_stays, Leader) = (0, null); // an earlier seek may have left a window
        foreach (var input in _inputs.Opened)
        {
            input.IsAlone = false;
            input.Begin(backward, limit, prefixLength);
        }
    }

    private void Start(bool backward)
    {
        foreach (var input in _inputs.Opened) input.Arrive();
        _order.Begin(_inputs.Opened, backward);
        FindWinner();
        if (_runnerUp < 0) OpenWindow();
    }

    /// <summary>Steps the winner outside of a window, and determines the next winner.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private void MoveOn()
    {
        var winner = Current!;
        if (Leader is null) SkipOlderVersions(winner);
        winner.Step();
        if (!winner.IsValid) EndWinner();
        else if (StillLeads()) Stay();
        else PassToRunnerUp();
    }

    /// <summary>Steps every other input that stands on the winner's key: what it has is older (I9).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void SkipOlderVersions(MergeInput winner)
    {
        while (_runnerUp >= 0 && _order.AreTied(_winner, _runnerUp) && winner.CompareTo(_order[_runnerUp]) == 0)
        {
            var older = _runnerUp;
            _order[older].Step();
            if (_order[older].IsValid) _order.SetHead(older);
            else Remove(older);
            FindRunnerUp();
        }
    }

    /// <summary>The winner has no further row.</summary>
    private void EndWinner()
    {
        Remove(_winner);
        FindWinner();
        Leader = null;
        if (_runnerUp < 0) OpenWindow();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool StillLeads()
    {
        _order.SetHead(_winner);
        return _runnerUp < 0 || _order.Leads(_winner, _runnerUp);
    }

    /// <summary>The winner has won again. It opens the next window, or its first one after several wins.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Stay()
    {
        if (Leader is not null || ++_stays >= StaysBeforeWindow) OpenWindow();
    }

    /// <summary>The runner-up wins: no other input comes before it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void PassToRunnerUp()
    {
        _winner = _runnerUp;
        Current = _order[_winner];
        Leader = null;
        _stays = 0;
        FindRunnerUp();
    }

    private void OpenWindow()
    {
        _stays = 0;
        Leader = Current is RunIterator run && run.TryOpenWindow(_runnerUp < 0 ? null : _order[_runnerUp]) ? run : null;
    }

    private void FindWinner()
    {
        if (_order.Count == 1) _order[0].IsAlone = true;
        _winner = _order.First();
        Current = _winner < 0 ? null : _order[_winner];
        FindRunnerUp();
    }

    private void FindRunnerUp() => _runnerUp = _order.First(except: _winner);

    /// <summary>Takes out an input without a further row; those after it move up.</summary>
    private void Remove(int ended)
    {
        _order.Remove(ended);
        if (_winner > ended) _winner--;
    }
}
