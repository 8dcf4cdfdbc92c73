namespace Varve.Fuzz.Mutation;

/// <summary>
/// Sees, from a thread of its own, that an execution does not end; managed code cannot be stopped from outside, so the
/// owner reports the input and, outside tests, ends the process.
/// </summary>
internal sealed class Watchdog : IDisposable
{
    private readonly TimeSpan limit;
    private readonly Action<byte[]> onHang;
    private readonly Timer timer;
    private readonly Lock gate = new();
    private byte[]? current;
    private long beganTicks;

    /// <param name="limit">How long an execution may run.</param>
    /// <param name="onHang">Gets the input, once for each execution that hangs.</param>
    public Watchdog(TimeSpan limit, Action<byte[]> onHang)
    {
        (this.limit, this.onHang) = (limit, onHang);
        var period = TimeSpan.FromMilliseconds(Math.Max(5, limit.TotalMilliseconds / 4));
        timer = new Timer(_ => Look(), null, period, period);
    }

    public void Begin(byte[] input)
    {
        lock (gate) (current, beganTicks) = (input, Environment.TickCount64);
    }

    public void End()
    {
        lock (gate) current = null;
    }

    public void Dispose() => timer.Dispose();

    private void Look()
    {
        byte[] hanging;
        lock (gate)
        {
            if (current is null || Environment.TickCount64 - beganTicks < limit.TotalMilliseconds) return;
            hanging = current;
            current = null;
        }

        onHang(hanging);
    }
}
