using System.Runtime.CompilerServices;
using Varve.Epochs;
using Varve.Runtime;
using Varve.Versions;
using Varve.Wal;

namespace Varve.Reading;

/// <summary>
/// How reads begin and end: a pin for a call, a hold of the version for a view. A read sees the version that was
/// current and the position published in it. After a close, the last reader out frees what it was the last to see. Any
/// thread.
/// </summary>
internal sealed class ReadSessions
{
    private readonly VersionSet _versions;
    private readonly EpochTable _pins;
    private readonly EngineState _state;
    private readonly WakeSignal? _collector;
    private readonly ViewClock _viewClock;
    private readonly ViewPool _views;

    /// <param name="versions">What is read.</param>
    /// <param name="options">Whose clock tells the age of views.</param>
    /// <param name="clock">The time of leases.</param>
    /// <param name="state">Whether reads are allowed.</param>
    /// <param name="collector">Wakes the thread that frees what was retired; null: there is none, and readers free it
    /// themselves.</param>
    public ReadSessions(
        VersionSet versions, EngineOptions options, EngineClock clock, EngineState state, WakeSignal? collector)
    {
        _versions = versions;
        _pins = versions.Pins;
        _state = state;
        _collector = collector;
        Clock = clock;
        _viewClock = new ViewClock(options.TimeProvider);
        _views = new ViewPool(this, versions.Reclaimer.Holds, _viewClock);
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

    /// <summary>Begins a read: what is retired from here on stays until <see cref="Leave(EpochTable.Slot)"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public EpochTable.Slot Enter() => _pins.Enter();

    /// <summary>Ends a read. The last one out of a closed engine frees its memory.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Leave(EpochTable.Slot slot)
    {
        EpochTable.Exit(slot);
        if (_state.IsClosed) CollectAfterClose();
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
            var version = _versions.ReadPoint(out var position);
            var context = _views.Free(slot);
            context.Open(version, position, now);
            return new ReadView(context);
        }
        finally
        {
            Leave(slot); // the context holds the version by now
        }
    }

    /// <summary>Ends a view on the thread that opened it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void CloseView(ViewContext context)
    {
        var version = context.Version;
        context.Close();
        if (version != _versions.Current || _state.IsClosed) CollectAfterView();
    }

    /// <inheritdoc cref="ViewPool.Describe"/>
    public (int Open, TimeSpan OldestAge, long OldestBytes) DescribeViews(DbVersion current) =>
        _views.Describe(current);

    /// <summary>Once the directory is given back, frees what the caller may have been the last to see.</summary>
    public void CollectAfterClose()
    {
        if (_state.IsReleased) _versions.Reclaimer.Collect();
    }

    /// <summary>
    /// Frees what the view may have been the last to see: on the background thread, or here if there is none.
    /// </summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private void CollectAfterView()
    {
        if (_state.IsClosed) CollectAfterClose();
        else if (_collector is not null) _collector.Set();
        else _versions.Reclaimer.Collect();
    }
}
