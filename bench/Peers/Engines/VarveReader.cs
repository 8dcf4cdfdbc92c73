namespace Varve.Bench.Peers.Engines;

/// <summary>Varve's reads of one thread.</summary>
internal sealed class VarveReader(LsmStateMachine machine) : IBenchReader
{
    private ReadOnlyMemory<byte>[] _wanted = [];

    public int Get(ReadOnlySpan<byte> key, Span<byte> destination) => machine.Read(key, destination);

    public int GetInPlace(ReadOnlySpan<byte> key, ref ulong seen)
    {
        using var view = machine.OpenView();
        if (!view.TryGet(key, out var value)) return -1;
        Visit.Value(ref seen, value);
        return value.Length;
    }

    public int GetMulti(ReadKeys keys, int from, int count, Span<byte> destination)
    {
        if (_wanted.Length != count) _wanted = new ReadOnlyMemory<byte>[count];
        for (var i = 0; i < count; i++) _wanted[i] = keys.Memory(from + i);
        var found = 0;
        foreach (var value in machine.GetMulti(_wanted))
            if (value is not null) found++;
        return found;
    }

    public long ScanPrefix(ReadOnlySpan<byte> prefix, ref ulong seen)
    {
        using var view = machine.OpenView();
        long count = 0;
        foreach (var entry in view.ScanPrefix(prefix))
        {
            Visit.Entry(ref seen, entry.Key, entry.Value);
            count++;
        }

        return count;
    }

    public long ScanFrom(ReadOnlySpan<byte> key, int limit, ref ulong seen)
    {
        using var view = machine.OpenView();
        long count = 0;
        foreach (var entry in view.ScanRange(key, default))
        {
            Visit.Entry(ref seen, entry.Key, entry.Value);
            if (++count == limit) break;
        }

        return count;
    }

    public long ScanAll(ref ulong seen)
    {
        using var view = machine.OpenView();
        long count = 0;
        foreach (var entry in view.ScanRange(default, default))
        {
            Visit.Entry(ref seen, entry.Key, entry.Value);
            count++;
        }

        return count;
    }

    public void Dispose() { }
}
