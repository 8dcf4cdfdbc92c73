namespace Varve.Cli.Sizes;

/// <summary>Counts leases by the time that is left of them.</summary>
internal sealed class LeaseHistogram(ulong nowMs)
{
    private static readonly (string Name, TimeSpan Below)[] Bounds =
    [
        ("less than a minute", TimeSpan.FromMinutes(1)),
        ("less than an hour", TimeSpan.FromHours(1)),
        ("less than a day", TimeSpan.FromDays(1)),
        ("less than a week", TimeSpan.FromDays(7)),
        ("less than 30 days", TimeSpan.FromDays(30)),
        ("30 days and more", TimeSpan.MaxValue),
    ];

    private readonly long[] _counts = new long[Bounds.Length];

    public long Count { get; private set; }

    /// <summary>All buckets, those of the earliest deadlines first.</summary>
    public IEnumerable<(string Name, long Count)> Buckets => Bounds.Select((bound, at) => (bound.Name, _counts[at]));

    public void Add(ulong deadlineMs)
    {
        var left = deadlineMs > nowMs ? (deadlineMs - nowMs) / 1000.0 : 0;
        _counts[Array.FindIndex(Bounds, bound => left < bound.Below.TotalSeconds)]++;
        Count++;
    }
}
