namespace Varve.Diagnostics;

/// <summary>The names of the two levels: the oldest run is the bottom, all others are above it.</summary>
internal static class Levels
{
    public const string Upper = "upper";
    public const string Bottom = "bottom";

    /// <summary>Of a run's place in the list of runs, which begins with the newest.</summary>
    public static string Of(int place, int count) => place == count - 1 ? Bottom : Upper;
}
