namespace Varve.Fuzz.Mutation;

/// <summary>
/// Sees, from a thread of its own, that an execution does not end; managed code cannot be stopped from outside, so the
/// owner reports the input and, outside tests, ends the process. It counts how often it has looked in vain, not the
/// time: where the whole process is stopped or starved, the watchdog is too.
/// </summary>
internal sealed class Watchdog : IDisposable
{
    private const int LooksMax = 5;
    private readonly Action<byte[]> _onHang;
    private readonly Timer _timer;
    private readonly Lock _gate = new();
    private byte[]? _current;
    private int _looks;

    /// <param name="limit">How long an execution may run; it is noticed up to a quarter later.</param>
    /// <param name="onHang">Gets the input, once for each execution that hangs.</param>
    public Watchdog(TimeSpan limit, Action<byte[]> onHang)
    {
        _onHang = onHang;
        var period = TimeSpan.FromMilliseconds(Math.Max(5, limit.TotalMilliseconds / (LooksMax - 1)));
        _timer = new Timer(_ => Look(), null, period, period);
    }

    public void Begin(byte[] input)
    {
        lock (_gate) (_current, _looks) = (input, 0);
    }

    public void End()
    {
        lock (_gate) _current = null;
    }

    public void Dispose() => _timer.Dispose();

    private void Look()
    {
        byte[] hanging;
        lock (_gate)
        {
            if (_current is null || ++_looks < LooksMax) return;
            hanging = _current;
            _current = null;
        }

        _onHang(hanging);
    }
}
