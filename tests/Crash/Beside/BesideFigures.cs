namespace Varve.Tests.Crash.Beside;

/// <summary>Counts of the readers beside a writer.</summary>
internal sealed class BesideFigures
{
    private long _opens;
    private long _catchUps;
    private long _moves;
    private long _reads;
    private long _kills;

    public void Opened() => Interlocked.Increment(ref _opens);

    public void CaughtUp(bool hasMoved)
    {
        Interlocked.Increment(ref _catchUps);
        if (hasMoved) Interlocked.Increment(ref _moves);
    }

    public void Read(long count) => Interlocked.Add(ref _reads, count);

    public void Killed() => Interlocked.Increment(ref _kills);

    public override string ToString() =>
        $"{_opens:N0} opens, {_catchUps:N0} catch-ups ({_moves:N0} to another state), {_reads:N0} reads checked, "
            + $"{_kills:N0} kills of the writer";
}
