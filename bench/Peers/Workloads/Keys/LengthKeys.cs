using System.Buffers.Binary;

namespace Varve.Bench.Peers;

/// <summary>
/// Lengths from 4 to 200 bytes, evenly drawn. The first four bytes are a permutation of the number, so that keys are
/// distinct whatever their length.
/// </summary>
internal sealed class LengthKeys : KeyShape
{
    private const int BytesMin = 4;

    public override int BytesMax => 200;

    public override double BytesMean => (BytesMin + BytesMax) / 2.0;

    public override int Write(long number, Span<byte> key)
    {
        var state = Hash.Mix(Seed ^ (ulong)number);
        var length = BytesMin + (int)(state % (ulong)(BytesMax - BytesMin + 1));
        BinaryPrimitives.WriteUInt32BigEndian(key, (uint)Hash.Scatter((ulong)number, 32));
        Span<byte> eight = stackalloc byte[8];
        for (var at = BytesMin; at < length; at += 8)
        {
            state = Hash.Mix(state);
            BinaryPrimitives.WriteUInt64LittleEndian(eight, state);
            eight[..Math.Min(8, length - at)].CopyTo(key[at..]);
        }

        return length;
    }
}
