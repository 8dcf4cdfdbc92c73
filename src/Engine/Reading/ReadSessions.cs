using System.Runtime.CompilerServices;
using Varve.Epochs;
using Varve.Runtime;
using Varve.Versions;
using Varve.Wal;

namespace Varve.Reading;

/// <summary>
/// Begins and ends reads.
/// <para>
/// The problem: a get takes a few hundred nanoseconds, so it can afford neither a lock nor a reference count. While it
/// runs, its version may be replaced and the engine may be closed. And a view stays open for as long as its owner
/// likes, but must keep nothing alive except its own version.
/// </para>
/// <list type="number">
/// <item>A call reads under a pin, from <see cref="Enter"/> to <see cref="Leave"/>: what is retired meanwhile stays
/// (I8).</item>
/// <item>A read sees the version that was current and the position that was published in it
/// (<see cref="VersionSet.ReadPoint(out LogPosition)"/>).</item>
/// <item>A view has a <see cref="ReadSession"/>, which is a hold on its version. It takes the hold under a pin, and
/// then ends the pin.</item>
/// <item>Each thread has sessions of its own, so a view takes no lock once its thread has an idle one. A dead thread's
/// sessions pass to the next thread with its number; a view that it left open keeps its session, and so its version,
/// for good.</item>
/// <item>After a close, the last reader to leave frees what it was the last to see.</item>
/// </list>
/// <para>Threads: any. A session belongs to the thread that opened its view.</para>
/// </summary>
internal sealed class ReadSessions
{
    private const int ThreadsAtFirst = 16;

    private readonly VersionSet _versions;
    private readonly EpochTable _pins;
    private readonly EngineState _state;
    private readonly WakeSignal? _collector;
    private readonly ViewClock _viewClock;
    private readonly RankedLock _lock = new(LockOrder.ViewContexts);
    private ReadSession?[] _byThread = new ReadSession?[ThreadsAtFirst];

    /// <param name="versions">The versions to read.</param>
    /// <param name="pins">The pins of their readers.</param>
    /// <param name="clock">The time of leases.</param>
    /// <param name="state">Whether reads are allowed.</param>
    /// <param name="viewClock">Tells the age of views.</param>
    /// <param name="collector">Wakes the thread that frees what was retired; null: there is none, and readers free it
    /// themselves.</param>
    public ReadSessions(
        VersionSet versions, EpochTable pins, EngineClock clock, EngineState state, ViewClock viewClock,
        WakeSignal? collector)
    {
        _versions = versions;
        _pins = pins;
        _state = state;
        _viewClock = viewClock;
        _collector = collector;
        Clock = clock;
    }

    /// <summary>The time by which leases are judged.</summary>
    public EngineClock Clock { get; }

    /// <summary>The applied position.</summary>
    public LogPosition Position
    {
        get
        {
            var slot = Enter();
            _versions.ReadPoint(out var position);
            Leave(slot);
            return position;
        }
    }

    /// <summary>Begins a read: what is retired from here on stays until <see cref="Leave"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public EpochTable.Slot Enter() => _pins.Enter();

    /// <summary>Ends a read. The last one to leave a closed engine frees its memory.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Leave(EpochTable.Slot slot)
    {
        EpochTable.Exit(slot);
        if (_state.IsClosed) ReleaseAfterClose();
    }

    /// <summary>
    /// Takes a reference to the current version, which the caller releases. For callers that a close does not wait for:
    /// the pin ends as a read does.
    /// </summary>
    /// <exception cref="ObjectDisposedException">The engine is closed.</exception>
    public DbVersion AcquireCurrent()
    {
        var slot = Enter();
        try
        {
            return _versions.AcquireCurrent();
        }
        finally
        {
            Leave(slot);
        }
    }

    /// <summary>Opens a view of the present state, for the calling thread.</summary>
    /// <exception cref="ObjectDisposedException">The engine is closed.</exception>
    /// <exception cref="InvalidOperationException">The engine is stopped.</exception>
    public ReadView OpenView()
    {
        var now = _viewClock.Now();
        var slot = Enter();
        try
        {
            _state.EnsureReadable();
            var version = _versions.ReadPoint(out var position, out var mark);
            var session = IdleSession(slot);
            session.Open(version, position, mark, now);
            return new ReadView(session);
        }
        finally
        {
            Leave(slot); // the session holds the version by now
        }
    }

    /// <summary>Ends a view on the thread that opened it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void EndView(ReadSession session)
    {
        var version = session.Version;
        session.EndView();
        if (version != _versions.Current || _state.IsClosed) ReleaseAfterView();
    }

    /// <summary>
    /// The number of open views, the age of the oldest, and the bytes of its memtables and tables that the current
    /// version no longer has.
    /// </summary>
    public (int Open, TimeSpan OldestAge, long OldestBytes) DescribeViews(DbVersion current)
    {
        var (open, oldestAge, oldest) = (0, TimeSpan.Zero, current);
        foreach (var hold in _versions.Reclaimer.Holds.All)
        {
            if (hold is not ReadSession { Held: DbVersion version } session) continue;
            open++;
            var age = _viewClock.Since(session.OpenedAt);
            if (open > 1 && age <= oldestAge) continue;
            (oldestAge, oldest) = (age, version);
        }

        return (open, oldestAge, oldest == current ? 0 : oldest.BytesBeside(current));
    }

    /// <summary>If the directory is released, frees what the caller may have been the last to see.</summary>
    public void ReleaseAfterClose()
    {
        if (_state.IsReleased) _versions.Reclaimer.FreeRetired();
    }

    /// <summary>
    /// Frees what the view may have been the last to see: on the background thread, or here in a read-only engine.
    /// </summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private void ReleaseAfterView()
    {
        if (_state.IsClosed) ReleaseAfterClose();
        else if (_collector is not null) _collector.Set();
        else _versions.Reclaimer.FreeRetired();
    }

    /// <summary>A session of the calling thread that no view uses.</summary>
    /// <param name="slot">The thread's pin.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private ReadSession IdleSession(EpochTable.Slot slot)
    {
        var all = _byThread;
        return (uint)slot.Ordinal < (uint)all.Length && all[slot.Ordinal] is { IsOpen: false } session
            ? session
            : FindOrAddIdleSession(slot);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private ReadSession FindOrAddIdleSession(EpochTable.Slot slot)
    {
        var session = FirstSessionOf(slot);
        while (session.IsOpen)
        {
            if (session.Next is null) session.Append(NewSession());
            session = session.Next!;
        }

        return session;
    }

    private ReadSession FirstSessionOf(EpochTable.Slot slot)
    {
        using (_lock.Enter())
        {
            var all = _byThread;
            if (slot.Ordinal >= all.Length)
            {
                all = new ReadSession?[Math.Max(slot.Ordinal + 1, all.Length * 2)];
                _byThread.CopyTo(all, 0);
            }

            var session = all[slot.Ordinal] ??= NewSession();
            Volatile.Write(ref _byThread, all);
            return session;
        }
    }

    private ReadSession NewSession()
    {
        var session = new ReadSession(this);
        _versions.Reclaimer.Holds.Add(session);
        return session;
    }
}
