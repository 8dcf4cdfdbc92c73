namespace Varve.Cli.Watch;

/// <summary>Draws numbers as one line of bars of eight heights; the largest number has the highest bar.</summary>
internal static class Sparkline
{
    private const string Bars = "▁▂▃▄▅▆▇█";

    public static string Draw(IReadOnlyCollection<double> numbers)
    {
        var max = numbers.Count == 0 ? 0 : numbers.Max();
        return string.Concat(numbers.Select(number => Bars[
            max <= 0 ? 0 : (int)Math.Min(Bars.Length - 1, Math.Floor(Math.Max(number, 0) / max * Bars.Length))]));
    }
}
