namespace Varve.Bench.Peers;

/// <summary>
/// Ranks drawn as YCSB does (Gray et al., "Quickly generating billion-record synthetic databases"): rank r with a
/// probability in proportion to 1 / (r + 1)^0.99.
/// </summary>
internal sealed class Zipfian
{
    private const double Theta = 0.99;
    private readonly long _items;
    private readonly double _zeta;
    private readonly double _eta;

    public Zipfian(long items)
    {
        _items = items;
        for (long i = 1; i <= items; i++) _zeta += Math.Pow(i, -Theta);
        _eta = (1 - Math.Pow(2.0 / items, 1 - Theta)) / (1 - (1 + Math.Pow(2, -Theta)) / _zeta);
    }

    /// <summary>The draw at a position of a reproducible stream.</summary>
    public long Rank(ulong position)
    {
        var u = (Hash.Mix(position ^ KeyShape.Seed) >> 11) * (1.0 / (1UL << 53));
        var scaled = u * _zeta;
        if (scaled < 1) return 0;
        if (scaled < 1 + Math.Pow(0.5, Theta)) return 1;
        return Math.Min((long)(_items * Math.Pow(_eta * u - _eta + 1, 1 / (1 - Theta))), _items - 1);
    }

    /// <summary>Like <see cref="Rank"/>, but with the popular items spread over all of them.</summary>
    public long Scrambled(ulong position) => (long)(Hash.Mix((ulong)Rank(position)) % (ulong)_items);
}
