using Varve.Cli.Text;

namespace Varve.Cli.Sizes;

/// <summary>
/// Adds up the live entries under a prefix, in one scan at one revision: by the next level of their keys, the largest
/// entries, and the distribution of key and value sizes. A level ends with the separator; a key without one more
/// separator is a level of its own, and counts among the others. Memory is bounded by
/// <see cref="GroupsMax"/> and the number of largest entries; the groups beyond the bound are added up as one.
/// </summary>
internal sealed class SizeSurvey(byte[] prefix, byte[] separator, int largestMax)
{
    public const int GroupsMax = 100_000;

    private const int ReportEvery = 4096;

    // The smallest of the kept entries is in front.
    private readonly PriorityQueue<KeySize, long> _largest = new();
    private readonly List<PrefixSize> _groups = [];
    private PrefixSize? _current;

    public ulong Revision { get; private set; }

    public PrefixSize Total { get; } = new(prefix, isWhole: false);

    /// <summary>Entries whose key has no further separator.</summary>
    public PrefixSize Leaves { get; } = new(prefix, isWhole: true);

    /// <summary>Entries of the groups beyond <see cref="GroupsMax"/>.</summary>
    public PrefixSize Rest { get; } = new(prefix, isWhole: false);

    public SizeHistogram KeySizes { get; } = new();

    public SizeHistogram ValueSizes { get; } = new();

    /// <summary>The leases, by the time left when the survey was made.</summary>
    public LeaseHistogram Leases { get; } = new((ulong)TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds());

    /// <summary>The groups, those with most bytes first.</summary>
    public IEnumerable<PrefixSize> Groups => _groups.OrderByDescending(group => group.Bytes);

    public int GroupCount => _groups.Count;

    /// <summary>The largest entries, the largest first.</summary>
    public IEnumerable<KeySize> Largest =>
        _largest.UnorderedItems.Select(item => item.Element).OrderByDescending(entry => entry.Bytes);

    public void Run(LsmStateMachine engine, LongWork progress, long? expected, CancellationToken cancellationToken)
    {
        using var view = engine.OpenView();
        Revision = view.Revision;
        foreach (var entry in view.ScanPrefix(prefix))
        {
            Add(entry.Key, entry.Value.Length);
            if (entry.LeaseDeadlineMs is { } deadline) Leases.Add(deadline);
            if (Total.Keys % ReportEvery != 0) continue;
            cancellationToken.ThrowIfCancellationRequested();
            progress.Report(Total.Bytes, LongWork.ShareOf(Total.Keys, expected), Total.Keys);
        }
    }

    private void Add(ReadOnlySpan<byte> key, int valueLength)
    {
        Total.Add(key.Length, valueLength);
        KeySizes.Add(key.Length);
        ValueSizes.Add(valueLength);
        GroupOf(key).Add(key.Length, valueLength);
        KeepIfLarge(key, valueLength);
    }

    // Keys come in order, so those of a group come together.
    private PrefixSize GroupOf(ReadOnlySpan<byte> key)
    {
        if (_current is { } current && key.StartsWith(current.Prefix)) return current;
        var end = separator.Length == 0 ? -1 : key[prefix.Length..].IndexOf(separator);
        if (end < 0) return Leaves;
        if (_groups.Count == GroupsMax) return Rest;
        _current = new PrefixSize(key[..(prefix.Length + end + separator.Length)].ToArray(), isWhole: false);
        _groups.Add(_current);
        return _current;
    }

    private void KeepIfLarge(ReadOnlySpan<byte> key, int valueLength)
    {
        if (largestMax == 0) return;
        var size = key.Length + (long)valueLength;
        if (_largest.Count == largestMax)
        {
            if (!_largest.TryPeek(out _, out var least) || size <= least) return;
            _largest.Dequeue();
        }

        _largest.Enqueue(new KeySize(key.ToArray(), valueLength), size);
    }
}
