using ZoneTree;

namespace Varve.Bench.Peers.Engines;

/// <summary>ZoneTree's reads of one thread.</summary>
internal sealed class ZoneTreeReader(IZoneTree<Memory<byte>, Memory<byte>> tree) : IBenchReader
{
    private readonly byte[] _key = new byte[256];

    public int Get(ReadOnlySpan<byte> key, Span<byte> destination)
    {
        key.CopyTo(_key);
        var wanted = _key.AsMemory(0, key.Length);
        if (!tree.TryGet(in wanted, out var value)) return -1;
        value.Span.CopyTo(destination);
        return value.Length;
    }

    public int GetInPlace(ReadOnlySpan<byte> key, ref ulong seen)
    {
        key.CopyTo(_key);
        var wanted = _key.AsMemory(0, key.Length);
        if (!tree.TryGet(in wanted, out var value)) return -1;
        Visit.Value(ref seen, value.Span);
        return value.Length;
    }

    public int GetMulti(ReadKeys keys, int from, int count, Span<byte> destination)
    {
        var found = 0;
        var at = 0;
        for (var i = from; i < from + count; i++)
        {
            var length = Get(keys[i], destination[at..]);
            if (length < 0) continue;
            at += length;
            found++;
        }

        return found;
    }

    public long ScanPrefix(ReadOnlySpan<byte> prefix, ref ulong seen)
    {
        using var iterator = Seek(prefix);
        long count = 0;
        while (iterator.Next() && iterator.CurrentKey.Span.StartsWith(prefix))
        {
            Visit.Entry(ref seen, iterator.CurrentKey.Span, iterator.CurrentValue.Span);
            count++;
        }

        return count;
    }

    public long ScanFrom(ReadOnlySpan<byte> key, int limit, ref ulong seen)
    {
        using var iterator = Seek(key);
        long count = 0;
        for (; count < limit && iterator.Next(); count++)
            Visit.Entry(ref seen, iterator.CurrentKey.Span, iterator.CurrentValue.Span);
        return count;
    }

    public long ScanAll(ref ulong seen)
    {
        using var iterator = tree.CreateIterator(IteratorType.NoRefresh, false, true);
        long count = 0;
        while (iterator.Next())
        {
            Visit.Entry(ref seen, iterator.CurrentKey.Span, iterator.CurrentValue.Span);
            count++;
        }

        return count;
    }

    public void Dispose() { }

    private IZoneTreeIterator<Memory<byte>, Memory<byte>> Seek(ReadOnlySpan<byte> key)
    {
        var iterator = tree.CreateIterator(IteratorType.NoRefresh, false, true);
        key.CopyTo(_key);
        var from = _key.AsMemory(0, key.Length);
        iterator.Seek(in from);
        return iterator;
    }
}
