using FsCheck;
using FsCheck.Fluent;

namespace Varve.Tests.Format;

/// <summary>
/// A seed of the full range; FsCheck's own integers stay near zero, and would give the same few cases over and over.
/// </summary>
public readonly record struct Seed(int Value)
{
    public Random NewRandom() => new(Value);
}

/// <summary>Draws seeds for FsCheck.</summary>
public static class Seeds
{
    public static Arbitrary<Seed> Any() => Gen.Choose(0, int.MaxValue).Select(value => new Seed(value)).ToArbitrary();
}
