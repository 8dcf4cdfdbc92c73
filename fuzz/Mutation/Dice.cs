using System.Numerics;

namespace Varve.Fuzz.Mutation;

/// <summary>Seeded random numbers (SplitMix64), the same on every machine and runtime. One thread.</summary>
internal sealed class Dice(ulong seed)
{
    private ulong _state = seed;

    public ulong Next()
    {
        var z = _state += 0x9E3779B97F4A7C15;
        z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9;
        z = (z ^ z >> 27) * 0x94D049BB133111EB;
        return z ^ z >> 31;
    }

    /// <summary>0 .. <paramref name="bound"/> - 1; 0 when there is no such number.</summary>
    public int Below(int bound) => bound <= 1 ? 0 : (int)((UInt128)Next() * (uint)bound >> 64);

    /// <summary>1 .. <paramref name="max"/>, small ones far more often.</summary>
    public int Small(int max) =>
        Math.Clamp(1 + Below(1 << 1 + Below(1 + BitOperations.Log2((uint)Math.Max(1, max)))), 1, Math.Max(1, max));

    public bool OneIn(int n) => Below(n) == 0;
}
