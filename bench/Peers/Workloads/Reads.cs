using Varve.Bench.Peers.Engines;

namespace Varve.Bench.Peers;

/// <summary>The keys of a run of gets, drawn and written out beforehand.</summary>
internal sealed class ReadKeys : IDisposable
{
    private readonly NativeBlock _block;
    private readonly int _keyBytes;

    private ReadKeys(EntrySource source, int count, long stream, long from, long bound)
    {
        Count = count;
        _keyBytes = source.KeyBytes;
        _block = new NativeBlock((long)count * _keyBytes);
        for (var i = 0; i < count; i++)
            source.WriteKey(from + EntrySource.Pick((ulong)(stream << 40) + (ulong)i, bound), _block.Slice((long)i * _keyBytes, _keyBytes));
    }

    public int Count { get; }

    public static ReadKeys Present(EntrySource source, int count, long stream) => new(source, count, stream, 0, source.Entries);

    /// <summary>Of the first <paramref name="bound"/> entries only.</summary>
    public static ReadKeys PresentBelow(EntrySource source, int count, long stream, long bound) => new(source, count, stream, 0, bound);

    public static ReadKeys Absent(EntrySource source, int count, long stream) => new(source, count, stream, source.Entries, source.Entries);

    public ReadOnlySpan<byte> this[int i] => _block.Slice((long)i * _keyBytes, _keyBytes);

    public void Dispose() => _block.Dispose();
}

/// <summary>The loops of the read rows. Each checks what it gets: a fast wrong answer ends the run.</summary>
internal static class Reads
{
    public static long Gets(IBenchReader reader, ReadKeys keys, int expectedLength)
    {
        Span<byte> destination = stackalloc byte[512];
        for (var i = 0; i < keys.Count; i++)
            if (reader.Get(keys[i], destination) != expectedLength) throw Wrong("get");
        return keys.Count;
    }

    public static long GetsPinned(IPinnedReader reader, ReadKeys keys, int expectedLength)
    {
        Span<byte> destination = stackalloc byte[512];
        for (var i = 0; i < keys.Count; i++)
            if (reader.GetPinned(keys[i], destination) != expectedLength) throw Wrong("pinned get");
        return keys.Count;
    }

    public static long GetsManaged(IManagedReader reader, ReadKeys keys, int expectedLength)
    {
        Span<byte> destination = stackalloc byte[512];
        for (var i = 0; i < keys.Count; i++)
            if (reader.GetManaged(keys[i], destination) != expectedLength) throw Wrong("managed get");
        return keys.Count;
    }

    /// <summary>Scans random prefixes; gives the entries visited.</summary>
    public static long Prefixes(IBenchReader reader, EntrySource source, int scans)
    {
        Span<byte> prefix = stackalloc byte[EntrySource.PrefixBytes];
        long entries = 0;
        ulong seen = 0;
        for (var i = 0; i < scans; i++)
        {
            source.WritePrefix((uint)EntrySource.Pick((ulong)i, source.Buckets), prefix);
            entries += reader.ScanPrefix(prefix, ref seen);
        }

        return seen == 0 ? throw Wrong("prefix scan") : entries;
    }

    public static long All(IBenchReader reader)
    {
        ulong seen = 0;
        var entries = reader.ScanAll(ref seen);
        return seen == 0 ? throw Wrong("scan") : entries;
    }

    /// <summary>Compares some values byte by byte; not timed.</summary>
    public static void Verify(IBenchReader reader, EntrySource source, int samples)
    {
        Span<byte> key = stackalloc byte[source.KeyBytes];
        Span<byte> expected = stackalloc byte[source.ValueBytes];
        Span<byte> value = stackalloc byte[source.ValueBytes];
        for (var i = 0; i < samples; i++)
        {
            var number = EntrySource.Pick((ulong)i, source.Entries);
            source.WriteKey(number, key);
            source.WriteValue(number, expected);
            if (reader.Get(key, value) != expected.Length || !value.SequenceEqual(expected)) throw Wrong("get: not the bytes that were applied");
        }
    }

    public static InvalidDataException Wrong(string what) => new($"wrong answer from {what}");
}
