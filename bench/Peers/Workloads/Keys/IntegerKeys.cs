using System.Buffers.Binary;
using System.Numerics;

namespace Varve.Bench.Peers;

/// <summary>
/// 8-byte big-endian integers, dense from 0 and in random order: row numbers, whose first bytes tell nothing. Absent
/// ones lie between the present.
/// </summary>
internal sealed class IntegerKeys(long entries) : KeyShape
{
    private readonly int _bits = BitOperations.Log2((ulong)entries * 2 - 1) + 1;

    public override int BytesMax => 8;

    public override KeyShape Resized(long count) => new IntegerKeys(count);

    public override int Write(long number, Span<byte> key)
    {
        BinaryPrimitives.WriteUInt64BigEndian(key, Hash.Scatter((ulong)number, _bits));
        return 8;
    }
}
