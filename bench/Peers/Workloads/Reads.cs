using Varve.Bench.Peers.Engines;

namespace Varve.Bench.Peers;

/// <summary>
/// The loops of the read rows of one thread. Each checks what it gets: a fast wrong answer ends the run.
/// </summary>
internal sealed class Reads(IBenchReader reader, EntrySource source) : IDisposable
{
    public const int MultiKeys = 64;

    private readonly byte[] _destination = new byte[MultiKeys * source.ValueBytes];

    public IBenchReader Reader => reader;

    public long Present(ReadKeys keys) => Gets(keys, source.ValueBytes);

    public long Absent(ReadKeys keys) => Gets(keys, -1);

    /// <summary>One key, which is present.</summary>
    public void One(ReadOnlySpan<byte> key)
    {
        if (reader.Get(key, _destination) != source.ValueBytes) throw Wrong("get");
    }

    public long InPlace(ReadKeys keys)
    {
        ulong seen = 0;
        for (var i = 0; i < keys.Count; i++)
            if (reader.GetInPlace(keys[i], ref seen) != source.ValueBytes) throw Wrong("get in place");
        return seen == 0 ? throw Wrong("get in place") : keys.Count;
    }

    public long Pinned(IPinnedReader pinned, ReadKeys keys)
    {
        for (var i = 0; i < keys.Count; i++)
            if (pinned.GetPinned(keys[i], _destination) != source.ValueBytes) throw Wrong("pinned get");
        return keys.Count;
    }

    public long Managed(IManagedReader managed, ReadKeys keys)
    {
        for (var i = 0; i < keys.Count; i++)
            if (managed.GetManaged(keys[i], _destination) != source.ValueBytes) throw Wrong("managed get");
        return keys.Count;
    }

    /// <summary>All keys, which are present, <see cref="MultiKeys"/> at a time.</summary>
    public long Multi(ReadKeys keys)
    {
        long done = 0;
        for (var i = 0; i + MultiKeys <= keys.Count; i += MultiKeys)
        {
            if (reader.GetMulti(keys, i, MultiKeys, _destination) != MultiKeys) throw Wrong("multi-get");
            done += MultiKeys;
        }

        return done;
    }

    /// <summary>Scans random prefixes of random keys; gives the entries visited.</summary>
    public long Prefixes(int scans)
    {
        var keys = (RandomKeys)source.Keys;
        Span<byte> prefix = stackalloc byte[RandomKeys.PrefixBytes];
        long entries = 0;
        ulong seen = 0;
        for (var i = 0; i < scans; i++)
        {
            keys.WritePrefix((uint)EntrySource.Pick((ulong)i, keys.Buckets), prefix);
            entries += reader.ScanPrefix(prefix, ref seen);
        }

        return seen == 0 ? throw Wrong("prefix scan") : entries;
    }

    /// <summary>A scan of everything, which must be as much as was applied.</summary>
    public long All()
    {
        ulong seen = 0;
        var entries = reader.ScanAll(ref seen);
        // + 1: a peer's applied index.
        if (seen == 0 || entries < source.Entries || entries > source.Entries + 1) throw Wrong("full scan");
        return entries;
    }

    /// <summary>Compares some values byte by byte; not timed.</summary>
    public void Verify(int samples)
    {
        Span<byte> key = new byte[source.KeyBytesMax];
        Span<byte> expected = new byte[source.ValueBytes];
        Span<byte> value = new byte[source.ValueBytes];
        for (var i = 0; i < samples; i++)
        {
            var number = EntrySource.Pick((ulong)i, source.Entries);
            var length = source.WriteKey(number, key);
            source.WriteValue(number, expected);
            if (reader.Get(key[..length], value) != expected.Length || !value.SequenceEqual(expected))
                throw Wrong("get: not the bytes that were applied");
        }
    }

    public void Dispose() => reader.Dispose();

    public static InvalidDataException Wrong(string what) => new($"wrong answer from {what}");

    private long Gets(ReadKeys keys, int expectedLength)
    {
        Span<byte> destination = _destination;
        for (var i = 0; i < keys.Count; i++)
            if (reader.Get(keys[i], destination) != expectedLength) throw Wrong("get");
        return keys.Count;
    }
}
