namespace Varve.Diagnostics;

/// <summary>The number and the duration of each kind of work of an engine. Any thread.</summary>
internal sealed class WorkTotals
{
    private const int Kinds = (int)Work.Recovery + 1;
    private readonly long[] _counts = new long[Kinds];
    private readonly long[] _ticks = new long[Kinds];

    public void Add(Work work, TimeSpan duration)
    {
        Interlocked.Increment(ref _counts[(int)work]);
        Interlocked.Add(ref _ticks[(int)work], duration.Ticks);
    }

    public long CountOf(Work work) => Volatile.Read(ref _counts[(int)work]);

    public TimeSpan TimeOf(Work work) => TimeSpan.FromTicks(Volatile.Read(ref _ticks[(int)work]));
}
