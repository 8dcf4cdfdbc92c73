namespace Varve.Tests.Crash.Beside;

/// <summary>What readers beside a writer have done.</summary>
internal sealed class BesideFigures
{
    private long opens;
    private long catchUps;
    private long moves;
    private long reads;
    private long kills;

    public void Opened() => Interlocked.Increment(ref opens);

    public void CaughtUp(bool hasMoved)
    {
        Interlocked.Increment(ref catchUps);
        if (hasMoved) Interlocked.Increment(ref moves);
    }

    public void Read(long count) => Interlocked.Add(ref reads, count);

    public void Killed() => Interlocked.Increment(ref kills);

    public override string ToString() => $"{opens:N0} opens, {catchUps:N0} catch-ups ({moves:N0} to another state), {reads:N0} reads checked, {kills:N0} kills of the writer";
}
