namespace Varve.Tests.Engine.Hostile;

/// <summary>
/// How much is tried: a sample that a test run has time for, or with VARVE_HOSTILE_WHOLE=1 everything.
/// </summary>
internal static class Sample
{
    public static bool IsWhole { get; } = Environment.GetEnvironmentVariable("VARVE_HOSTILE_WHOLE") == "1";

    /// <summary>
    /// Whether the try of a number is of the sample: one in <paramref name="n"/>, the same ones each time.
    /// </summary>
    public static bool Takes(int number, int n) => IsWhole || number % n == 0;
}
