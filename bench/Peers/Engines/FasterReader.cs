using FASTER.core;
using Session = FASTER.core.ClientSession<
    FASTER.core.SpanByte, FASTER.core.SpanByte, FASTER.core.Empty, Varve.Bench.Peers.Engines.FasterValue,
    FASTER.core.Empty, Varve.Bench.Peers.Engines.FasterFunctions>;

namespace Varve.Bench.Peers.Engines;

/// <summary>FASTER's reads of one thread.</summary>
internal sealed unsafe class FasterReader(Session session) : IBenchReader
{
    public int Get(ReadOnlySpan<byte> key, Span<byte> destination)
    {
        fixed (byte* from = key, to = destination)
        {
            var value = new FasterValue { Destination = to };
            return Read(SpanByte.FromPointer(from, key.Length), ref value);
        }
    }

    public int GetInPlace(ReadOnlySpan<byte> key, ref ulong seen)
    {
        fixed (byte* from = key)
        {
            var value = default(FasterValue);
            var length = Read(SpanByte.FromPointer(from, key.Length), ref value);
            seen += value.Seen;
            return length;
        }
    }

    public int GetMulti(ReadKeys keys, int from, int count, Span<byte> destination)
    {
        var found = 0;
        var context = session.UnsafeContext;
        context.BeginUnsafe();
        try
        {
            fixed (byte* to = destination)
            {
                var value = new FasterValue { Destination = to };
                for (var i = from; i < from + count; i++)
                {
                    var wanted = SpanByte.FromPointer(keys.Pointer(i), keys[i].Length);
                    Empty none = default;
                    var status = context.Read(ref wanted, ref none, ref value);
                    if (status.IsPending) throw Reads.Wrong("a read that memory should answer");
                    if (!status.Found) continue;
                    value.Destination += value.Length;
                    found++;
                }
            }
        }
        finally
        {
            context.EndUnsafe();
        }

        return found;
    }

    public long ScanPrefix(ReadOnlySpan<byte> prefix, ref ulong seen) => throw Unordered();

    public long ScanFrom(ReadOnlySpan<byte> key, int limit, ref ulong seen) => throw Unordered();

    public long ScanAll(ref ulong seen) => throw Unordered();

    public void Dispose() => session.Dispose();

    private int Read(SpanByte key, ref FasterValue value)
    {
        Empty none = default;
        var status = session.BasicContext.Read(ref key, ref none, ref value);
        if (status.IsPending) throw Reads.Wrong("a read that memory should answer");
        return status.Found ? value.Length : -1;
    }

    private static NotSupportedException Unordered() => new("its keys have no order");
}
