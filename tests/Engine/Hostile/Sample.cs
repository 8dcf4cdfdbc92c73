namespace Varve.Tests.Engine.Hostile;

/// <summary>Selects the attempts: a sample that fits a test run, or all of them with VARVE_HOSTILE_WHOLE=1.</summary>
internal static class Sample
{
    public static bool IsWhole { get; } = Environment.GetEnvironmentVariable("VARVE_HOSTILE_WHOLE") == "1";

    /// <summary>True if the attempt belongs to the sample: one in <paramref name="n"/>, always the same ones.</summary>
    public static bool Takes(int number, int n) => IsWhole || number % n == 0;
}
