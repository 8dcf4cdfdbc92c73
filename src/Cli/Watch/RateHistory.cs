namespace Varve.Cli.Watch;

/// <summary>Turns looks at a growing count into rates, and keeps the last ones.</summary>
/// <param name="kept">Number of rates kept.</param>
internal sealed class RateHistory(int kept)
{
    private readonly Queue<double> _rates = new();
    private (ulong Count, TimeSpan Time)? _last;

    /// <summary>The rates, oldest first, a second.</summary>
    public IReadOnlyCollection<double> Rates => _rates;

    /// <summary>The last rate; 0 before the second look.</summary>
    public double Current { get; private set; }

    /// <summary>Adds a look. A count that has fallen, as after a reset of the database, has rate 0.</summary>
    public void Add(ulong count, TimeSpan time)
    {
        if (_last is { } last && time > last.Time)
        {
            Current = count > last.Count ? (count - last.Count) / (time - last.Time).TotalSeconds : 0;
            _rates.Enqueue(Current);
            if (_rates.Count > kept) _rates.Dequeue();
        }

        _last = (count, time);
    }
}
