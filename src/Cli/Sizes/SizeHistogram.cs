using System.Numerics;

namespace Varve.Cli.Sizes;

/// <summary>Counts sizes by powers of two: bucket 0 holds 0, bucket n holds 2^(n-1) to 2^n - 1.</summary>
internal sealed class SizeHistogram
{
    private readonly long[] _counts = new long[65];

    /// <summary>Buckets from the first to the last that is not empty, each with its bounds, both inclusive.</summary>
    public IEnumerable<(long From, long To, long Count)> Buckets
    {
        get
        {
            var first = Array.FindIndex(_counts, count => count > 0);
            var last = Array.FindLastIndex(_counts, count => count > 0);
            for (var bucket = first; bucket >= 0 && bucket <= last; bucket++)
                yield return (
                    bucket == 0 ? 0 : 1L << (bucket - 1), bucket == 0 ? 0 : (1L << bucket) - 1, _counts[bucket]);
        }
    }

    public void Add(int size) => _counts[BitOperations.Log2((uint)size) + (size > 0 ? 1 : 0)]++;
}
