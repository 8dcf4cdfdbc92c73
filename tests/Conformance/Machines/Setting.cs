using System.Globalization;
using Xunit.Abstractions;

namespace Varve.Tests.Conformance.Machines;

/// <summary>Numbers that the environment may set.</summary>
internal static class Setting
{
    public static int Of(string variable, int otherwise) =>
        int.TryParse(Environment.GetEnvironmentVariable(variable), CultureInfo.InvariantCulture, out int number)
            ? number
            : otherwise;

    /// <summary>The seed of a run: a new one each time unless the variable names it; printed either way.</summary>
    public static ulong Seed(string variable, ITestOutputHelper output)
    {
        if (!ulong.TryParse(Environment.GetEnvironmentVariable(variable), CultureInfo.InvariantCulture, out ulong seed))
            seed = (ulong)System.Random.Shared.NextInt64(1, uint.MaxValue);
        output.WriteLine($"{variable}={seed}");
        return seed;
    }
}
