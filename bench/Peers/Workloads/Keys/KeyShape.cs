using System.Numerics;

namespace Varve.Bench.Peers;

/// <summary>The shape of keys: a function from numbers to distinct keys.</summary>
internal abstract class KeyShape
{
    public const ulong Seed = 0x5661727665_2026;

    public abstract int BytesMax { get; }

    public virtual double BytesMean => BytesMax;

    /// <summary>
    /// Writes the key of a number into a span of at least <see cref="BytesMax"/> bytes and gives its length.
    /// </summary>
    public abstract int Write(long number, Span<byte> key);

    /// <summary>The same shape for another number of entries.</summary>
    public virtual KeyShape Resized(long entries) => this;
}

internal static class Hash
{
    /// <summary>A permutation of the 64-bit numbers that leaves no pattern.</summary>
    public static ulong Mix(ulong x)
    {
        x += 0x9E3779B97F4A7C15;
        x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
        x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
        return BitOperations.RotateLeft(x ^ (x >> 31), 17);
    }

    /// <summary>A permutation of the numbers of <paramref name="bits"/> bits.</summary>
    public static ulong Scatter(ulong x, int bits)
    {
        var mask = (1UL << bits) - 1;
        for (var round = 0; round < 3; round++)
        {
            x = (x * 0x9E3779B97F4A7C15 + KeyShape.Seed) & mask;
            x ^= x >> (bits / 2);
        }

        return x;
    }
}
