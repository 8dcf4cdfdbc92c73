using System.Buffers.Binary;

namespace Varve.Bench.Micro.Tables;

/// <summary>16-byte random keys in order, one behind the other.</summary>
internal static class SampleRows
{
    public const int KeyBytes = 16;

    public static byte[] SortedKeys(int count, int seed)
    {
        var random = new Random(seed);
        var keys = new UInt128[count];
        for (var i = 0; i < count; i++)
            keys[i] = new UInt128((ulong)random.NextInt64(), (ulong)random.NextInt64());
        Array.Sort(keys);
        var bytes = new byte[count * KeyBytes];
        for (var i = 0; i < count; i++)
            BinaryPrimitives.WriteUInt128BigEndian(bytes.AsSpan(i * KeyBytes), keys[i]);
        return bytes;
    }
}
