namespace Varve.Changes;

/// <summary>
/// The readers of the prefixes of a key, found by one binary search. Immutable.
/// <para>
/// In ascending order, a string between a prefix of a key and the key begins with that prefix. So every prefix of a key
/// is a prefix of the greatest entry that is not above the key, or that entry itself; each entry links to its longest
/// prefix among the others. No hash is involved: the cost does not depend on whose keys they are.
/// </para>
/// </summary>
internal sealed class PrefixRoutes
{
    /// <summary>No readers.</summary>
    public static PrefixRoutes None { get; } = new([]);

    private readonly byte[][] _prefixes;
    private readonly int[] _parents;
    private readonly ChangeReader[][] _readers;

    public PrefixRoutes(IEnumerable<ChangeReader> readers)
    {
        var groups = readers.GroupBy(reader => reader.Prefix, PrefixComparer.Instance)
            .OrderBy(group => group.Key, PrefixComparer.Instance).ToArray();
        _prefixes = [.. groups.Select(group => group.Key)];
        _readers = [.. groups.Select(group => group.ToArray())];
        _parents = new int[groups.Length];
        for (var i = 0; i < _prefixes.Length; i++)
        {
            var parent = i - 1;
            while (parent >= 0 && !_prefixes[i].AsSpan().StartsWith(_prefixes[parent])) parent = _parents[parent];
            _parents[i] = parent;
        }
    }

    /// <summary>All readers.</summary>
    public IEnumerable<ChangeReader> All => _readers.SelectMany(group => group);

    /// <summary>The group of the longest prefix of a key; -1 if there is none.</summary>
    public int Find(ReadOnlySpan<byte> key)
    {
        var (low, high) = (0, _prefixes.Length);
        while (low < high)
        {
            var middle = (low + high) >>> 1;
            if (_prefixes[middle].AsSpan().SequenceCompareTo(key) <= 0) low = middle + 1;
            else high = middle;
        }

        var found = low - 1;
        while (found >= 0 && !key.StartsWith(_prefixes[found])) found = _parents[found];
        return found;
    }

    /// <summary>The group of the next shorter prefix; -1 if there is none.</summary>
    public int ParentOf(int group) => _parents[group];

    /// <summary>The readers of a group.</summary>
    public ReadOnlySpan<ChangeReader> ReadersOf(int group) => _readers[group];

    private sealed class PrefixComparer : IEqualityComparer<byte[]>, IComparer<byte[]>
    {
        public static PrefixComparer Instance { get; } = new();

        public int Compare(byte[]? x, byte[]? y) => x.AsSpan().SequenceCompareTo(y);

        public bool Equals(byte[]? x, byte[]? y) => x.AsSpan().SequenceEqual(y);

        public int GetHashCode(byte[] value)
        {
            var hash = default(HashCode); // seeded by the process
            hash.AddBytes(value);
            return hash.ToHashCode();
        }
    }
}
