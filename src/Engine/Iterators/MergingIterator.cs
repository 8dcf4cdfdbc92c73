using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Varve.Format;
using Varve.Memory;
using Varve.Memtables;
using Varve.Tables;

namespace Varve.Iterators;

/// <summary>
/// Merges sources into one sorted sequence in which the newest version of a key wins; tombstones and expired leases are
/// still in it. Forward or backward, decided by the first seek. Sources stand in the order of age, newest first.
/// <para>
/// The winner is the source with the smallest key (largest, backward), the newest where keys are equal. While the
/// winner stays below the runner-up it moves on alone: one comparison of two heads a row, however many sources there
/// are. A run that wins three times in a row opens a window (<see cref="RunIterator"/>) up to the runner-up's key and
/// goes on in it without any.
/// </para>
/// Reusable, so that a scan allocates nothing once its engine is warm. One thread at a time.
/// </summary>
internal sealed class MergingIterator : IDisposable
{
    private const int Eight = 8;
    // Where sources take turns, a window costs more than the row or two that are in it.
    private const int StaysBeforeWindow = 2;
    private readonly List<MemtableIterator> _memtables = [];
    private readonly List<RunIterator> _runs = [];
    private MergeInput[] _sources = [];
    private MergeInput[] _live = [];   // those that still have a row, in the order of age
    // Theirs, and the largest number where there is no source; whole eights.
    private ulong[] _heads = new ulong[Eight];
    private int _stays;   // how often the winner has stayed in front
    private int _opened;
    private int _count;
    private int _winner;
    private int _runnerUp;
    private bool _backward;

    public bool IsValid => Current is not null;

    public ReadOnlySpan<byte> Key => Current!.Key;

    public RecordKind Kind => Current!.Kind;

    public ulong Deadline => Current!.Deadline;

    public ReadOnlySpan<byte> Value => Current!.Value;

    /// <summary>The source that stands on the row of the merge; null: there is no row.</summary>
    public MergeInput? Current { get; private set; }

    /// <summary>
    /// The current source, when it is a run with a window: <see cref="RunIterator.TryStepInWindow"/> does for a
    /// <see cref="Move"/> as long as it can.
    /// </summary>
    public RunIterator? Leader { get; private set; }

    /// <summary>
    /// Opens over memtables as of a revision and over runs, each newest first. Ends with <see cref="Close"/>.
    /// </summary>
    public void Open(ReadOnlySpan<Memtable> memtables, ReadOnlySpan<Run> runs, ulong revision)
    {
        var count = memtables.Length + runs.Length;
        if (_sources.Length < count) (_sources, _live, _heads) =
            (new MergeInput[count * 2], new MergeInput[count * 2], new ulong[(count * 2 + Eight - 1) / Eight * Eight]);
        while (_memtables.Count < memtables.Length) _memtables.Add(new MemtableIterator());
        while (_runs.Count < runs.Length) _runs.Add(new RunIterator());
        _opened = 0;
        for (var i = 0; i < memtables.Length; i++)
        {
            if (memtables[i].Index.KeyCount == 0) continue;   // nothing that the revision sees
            _memtables[i].Open(memtables[i], revision);
            Put(_memtables[i]);
        }

        for (var i = 0; i < runs.Length; i++)
        {
            _runs[i].Open(runs[i]);
            Put(_runs[i]);
        }

        (Current, Leader) = (null, null);
    }

    /// <summary>Lets go of memtables and tables.</summary>
    public void Close()
    {
        foreach (var source in _memtables) source.Close();
        foreach (var source in _runs) source.Close();
        (Current, Leader) = (null, null);
        _opened = 0;
    }

    public void SeekFirst() => SeekFirst(default, 0);

    /// <summary>Goes to the first row of all, to move forward from there up to a limit.</summary>
    /// <param name="limit">The first key that is out; no bytes: no limit.</param>
    /// <param name="shared">Bytes that all keys inside share.</param>
    public void SeekFirst(FixedBytes limit, int shared)
    {
        Begin(backward: false, limit, shared);
        for (var i = 0; i < _opened; i++) _sources[i].SeekFirst();
        Settle();
    }

    /// <summary>
    /// As <see cref="SeekFirst(FixedBytes, int)"/> from the last row backward; the limit is the last key that is in.
    /// </summary>
    public void SeekLast(FixedBytes limit, int shared)
    {
        Begin(backward: true, limit, shared);
        for (var i = 0; i < _opened; i++) _sources[i].SeekLast();
        Settle();
    }

    /// <summary>As <see cref="SeekFirst(FixedBytes, int)"/>, from the first row at or above a key.</summary>
    public void Seek(ReadOnlySpan<byte> key, FixedBytes limit, int shared)
    {
        Begin(backward: false, limit, shared);
        for (var i = 0; i < _opened; i++) _sources[i].Prepare(key);
        for (var i = 0; i < _opened; i++) _sources[i].Seek(key);
        Settle();
    }

    /// <summary>As <see cref="SeekLast"/>, from the last row below a key.</summary>
    public void SeekBefore(ReadOnlySpan<byte> key, FixedBytes limit, int shared)
    {
        Begin(backward: true, limit, shared);
        for (var i = 0; i < _opened; i++) _sources[i].Prepare(key);
        for (var i = 0; i < _opened; i++) _sources[i].SeekBefore(key);
        Settle();
    }

    /// <summary>Steps in the direction of the last seek; every older version of the row's key is passed over.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Move()
    {
        if (Leader is null || !Leader.TryStepInWindow()) MoveOn();
    }

    public void Dispose()
    {
        foreach (var run in _runs) run.Dispose();
    }

    private void Put(MergeInput source)
    {
        if (_sources[_opened] != source) _sources[_opened] = source;
        _opened++;
    }

    private void Begin(bool backward, FixedBytes limit, int shared)
    {
        _backward = backward;
        for (var i = 0; i < _opened; i++)
        {
            _sources[i].IsAlone = false;
            _sources[i].Begin(backward, limit, shared);
        }
    }

    private void Settle()
    {
        for (var i = 0; i < _opened; i++) _sources[i].Arrive();
        _count = 0;
        for (var i = 0; i < _opened; i++)
        {
            if (!_sources[i].IsValid) continue;
            if (_live[_count] != _sources[i]) _live[_count] = _sources[i];
            _count++;
        }

        for (var i = 0; i < _count; i += Eight) HeadsFrom(i) = Vector512<ulong>.AllBitsSet;
        for (var i = 0; i < _count; i++) NoteHead(i);

        FindWinner();
        if (_runnerUp < 0) OpenWindow();
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void MoveOn()
    {
        var winner = Current!;
        // Older versions of the same key stand at the front of their sources. In a window there are none.
        while (Leader is null && _runnerUp >= 0 && _heads[_winner] == _heads[_runnerUp]
            && winner.CompareTo(_live[_runnerUp]) == 0)
        {
            var older = _runnerUp;
            _live[older].Step();
            if (_live[older].IsValid) NoteHead(older);
            else Drop(older);
            FindRunnerUp();
        }

        winner.Step();
        if (!winner.IsValid)
        {
            Drop(_winner);
            FindWinner();
            Leader = null;
            if (_runnerUp < 0) OpenWindow();
            return;
        }

        NoteHead(_winner);
        if (_runnerUp < 0 || Leads(_winner, _runnerUp))
        {
            if (Leader is not null || ++_stays >= StaysBeforeWindow) OpenWindow();
        }
        else
        {
            // No other source comes before the runner-up.
            _winner = _runnerUp;
            Current = _live[_winner];
            Leader = null;
            _stays = 0;
            FindRunnerUp();
        }
    }

    private void OpenWindow()
    {
        _stays = 0;
        Leader = Current is RunIterator run && run.TryOpenWindow(_runnerUp < 0 ? null : _live[_runnerUp]) ? run : null;
    }

    /// <summary>Takes out a source that has no more rows. The order of the others stays.</summary>
    private void Drop(int ended)
    {
        _count--;
        for (var i = ended; i < _count; i++) _live[i] = _live[i + 1];
        if (_count < Eight)
        {
            HeadsFrom(0) = HeadsFrom(0).Without(ended);
        }
        else
        {
            _heads.AsSpan(ended + 1, _count - ended).CopyTo(_heads.AsSpan(ended));
            _heads[_count] = ulong.MaxValue;
        }

        if (_winner > ended) _winner--;
    }

    /// <summary>
    /// Notes the head of a source that has moved; complemented when that makes the first one the smallest.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void NoteHead(int source)
    {
        var head = _backward ? ~_live[source].Head : _live[source].Head;
        ref var heads = ref HeadsFrom(source & -Eight);
        heads = heads.With(source & (Eight - 1), head);
    }

    /// <summary>
    /// Eight heads, from a multiple of eight on; always stored as they are loaded: a vector that was stored in parts is
    /// not served from the stores, but waits for them to reach the cache, and so for every load before them.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private ref Vector512<ulong> HeadsFrom(int source) => ref Unsafe.As<ulong, Vector512<ulong>>(ref _heads[source]);

    /// <summary>Whether source <paramref name="a"/> comes before source <paramref name="b"/>.</summary>
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
        if (_count == 1) _live[0].IsAlone = true;
        _winner = First(except: -1);
        Current = _winner < 0 ? null : _live[_winner];
        FindRunnerUp();
    }

    private void FindRunnerUp() => _runnerUp = First(_winner);

    /// <summary>The source that comes before all others, one of which is left out; -1: there is none.</summary>
    private int First(int except)
    {
        if (_count > Eight) return FirstOfMany(except);
        var heads = HeadsFrom(0);
        // Which it is cannot be foreseen, so there is no branch on it: the smallest of eight by halves, then where it
        // stands.
        var candidates = ((1UL << _count) - 1) & ~(except < 0 ? 0 : 1UL << except);
        if (candidates == 0) return -1;
        if (except >= 0) heads = heads.With(except, ulong.MaxValue);
        candidates &= Vector512.Equals(heads, Vector512.Create(Smallest(heads))).ExtractMostSignificantBits();
        var first = BitOperations.TrailingZeroCount(candidates);
        for (candidates &= candidates - 1; candidates != 0; candidates &= candidates - 1)
        {
            var other = BitOperations.TrailingZeroCount(candidates);
            if (LeadsByWholeKey(other, first)) first = other;
        }

        return first;
    }

    private int FirstOfMany(int except)
    {
        var least = Vector512<ulong>.AllBitsSet;
        for (var i = 0; i < _count; i += Eight) least = Vector512.Min(least, HeadsBut(i, except));
        var smallest = Vector512.Create(Smallest(least));
        var first = -1;
        for (var i = 0; i < _count; i += Eight)
        {
            for (var candidates = Vector512.Equals(HeadsBut(i, except), smallest).ExtractMostSignificantBits();
                candidates != 0; candidates &= candidates - 1)
            {
                // The largest number may be a head, or stand where there is none.
                var other = i + BitOperations.TrailingZeroCount(candidates);
                if (other != except && other < _count && (first < 0 || LeadsByWholeKey(other, first))) first = other;
            }
        }

        return first;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Vector512<ulong> HeadsBut(int from, int except) =>
        (except & -Eight) == from ? HeadsFrom(from).With(except & (Eight - 1), ulong.MaxValue) : HeadsFrom(from);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Smallest(Vector512<ulong> heads)
    {
        var four = Vector256.Min(heads.GetLower(), heads.GetUpper());
        var two = Vector128.Min(four.GetLower(), four.GetUpper());
        return Math.Min(two[0], two[1]);
    }
}
