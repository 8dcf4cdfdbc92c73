using System.Buffers.Binary;

namespace Varve.Bench.Peers;

/// <summary>8-byte big-endian integers in order.</summary>
internal sealed class AscendingKeys : KeyShape
{
    public override int BytesMax => 8;

    public override int Write(long number, Span<byte> key)
    {
        BinaryPrimitives.WriteInt64BigEndian(key, number + 1);
        return 8;
    }
}
