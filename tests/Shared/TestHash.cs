using System.Buffers.Binary;
using Varve.Format;

namespace Varve;

/// <summary>The hash that tests and benchmarks of the parts give their memtables and tables.</summary>
internal static class TestHash
{
    public const ulong Seed = 0x5EED_0F_7E57;

    public static KeyHasher Hasher { get; } = new(Seed);

    public static ulong Of(ReadOnlySpan<byte> key) => Hasher.Of(key);

    /// <summary>
    /// A key of 32 bytes whose hash under a seed is the same for all numbers: the first word is the first secret, so
    /// that its product, and with it the state, is zero whatever the second word is.
    /// </summary>
    public static byte[] Colliding(ulong seed, ulong number)
    {
        var secret = seed + 0x9E3779B97F4A7C15;
        secret = (secret ^ secret >> 30) * 0xBF58476D1CE4E5B9;
        secret = (secret ^ secret >> 27) * 0x94D049BB133111EB;
        var key = new byte[32];
        BinaryPrimitives.WriteUInt64LittleEndian(key, secret ^ secret >> 31);
        BinaryPrimitives.WriteUInt64LittleEndian(key.AsSpan(8), number);
        return key;
    }
}
