using Varve.Tests.Schedules.Control;
using Real = System.Threading.Thread;

namespace Varve.Tests.Schedules.Instrumented;

/// <summary>Stands for <c>System.Threading.Thread</c>: one started under control is under control.</summary>
internal sealed class Thread(Action run)
{
    private Controlled? _controlled;
    private Real? _real;

    public bool IsBackground { get; set; }

    public string? Name { get; set; }

    /// <summary>The running thread if it is one of these; null for any other.</summary>
    public static Thread? CurrentThread => Controlled.Current?.Owner;

    public void Start()
    {
        if (Controlled.Current is { } me)
        {
            _controlled = me.Scheduler.Spawn(run, this);
            return;
        }

        _real = new Real(() => run()) { IsBackground = IsBackground, Name = Name };
        _real.Start();
    }

    public void Join()
    {
        if (_controlled is { } thread && Controlled.Current is { } me)
            while (!thread.HasEnded) me.Block(thread, "join", "", 0);
        else _real?.Join();
    }
}

/// <summary>
/// Stands for <c>System.Threading.AutoResetEvent</c>; under control no time passes, so a wait ends by a set alone.
/// </summary>
internal sealed class AutoResetEvent(bool isSet) : IDisposable
{
    private readonly System.Threading.AutoResetEvent? _real = Controlled.Current is null ? new(isSet) : null;
    private bool _isSet = isSet;

    public void Set()
    {
        if (Controlled.Current is not { } me)
        {
            _real?.Set();
            return;
        }

        me.Stores.Drain();
        _isSet = true;
        me.Scheduler.Wake(this);
        me.Point("set event", "", 0);
    }

    public bool WaitOne(TimeSpan timeout)
    {
        if (timeout == TimeSpan.Zero) return WaitOne(0);
        if (Controlled.Current is not { } me) return _real!.WaitOne(timeout);
        me.Stores.Drain();
        while (!_isSet) me.Block(this, "wait for event", "", 0);
        _isSet = false;
        me.Point("event", "", 0);
        return true;
    }

    /// <summary>A look, which waits for nothing.</summary>
    public bool WaitOne(int milliseconds)
    {
        if (milliseconds != 0) return WaitOne(TimeSpan.FromMilliseconds(milliseconds));
        if (Controlled.Current is not { } me) return _real!.WaitOne(0);
        me.Stores.Drain();
        var wasSet = _isSet;
        _isSet = false;
        me.Point("look at event", "", 0);
        return wasSet;
    }

    public void Dispose() => _real?.Dispose();
}
