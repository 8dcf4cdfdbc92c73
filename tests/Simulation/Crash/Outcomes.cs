using Varve.Tests.Shared.Disk;

namespace Varve.Tests.Simulation.Crash;

/// <summary>
/// Chooses ways in which a power loss can turn out: all of them where they are few; else the ones that are meanest, and
/// random ones. Each is one option of every doubt; the array is the same one every time.
/// </summary>
internal sealed class Outcomes(Random random)
{
    private const int SingledOut = 24;

    /// <summary>Every way, half-stored mixes apart.</summary>
    public static IEnumerable<int[]> All(CrashPoint point)
    {
        var options = new int[point.Doubts.Count];
        while (true)
        {
            yield return options;
            var i = 0;
            for (; i < options.Length; i++)
            {
                if (++options[i] < point.Doubts[i].Whole) break;
                options[i] = 0;
            }

            if (i == options.Length) yield break;
        }
    }

    /// <summary>Nothing of it, and all of it: the power loss that comes early, and the death of the process.</summary>
    public static IEnumerable<int[]> Extremes(CrashPoint point)
    {
        yield return new int[point.Doubts.Count];
        yield return point.Newest();
    }

    /// <summary>
    /// The mean ones: sectors, sizes and names apart from each other, one lost, one kept, one file, one moment.
    /// </summary>
    public IEnumerable<int[]> Adversarial(CrashPoint point)
    {
        foreach (var extreme in Extremes(point)) yield return extreme;
        var newest = point.Newest();
        var options = new int[newest.Length];
        for (var kinds = 1; kinds < 7; kinds++)
        {
            for (var i = 0; i < options.Length; i++)
                options[i] = (kinds & (i < point.Sectors ? 1 : i < point.FirstName ? 2 : 4)) != 0 ? newest[i] : 0;
            yield return options;
        }

        var some = Math.Min(SingledOut, options.Length);
        for (var n = 0; n < some; n++)
        {
            var one = some == options.Length ? n : random.Next(options.Length);
            newest.CopyTo(options, 0);
            options[one] = 0;
            yield return options;
            Array.Clear(options);
            options[one] = newest[one];
            yield return options;
            if (point.Doubts[one].Options <= 2) continue;
            newest.CopyTo(options, 0);
            options[one] = random.Next(point.Doubts[one].Options);
            yield return options;
        }

        foreach (var file in Files(point))
        {
            for (var i = 0; i < options.Length; i++) options[i] = FileOf(point.Doubts[i]) == file ? 0 : newest[i];
            yield return options;
            for (var i = 0; i < options.Length; i++)
                options[i] = i >= point.FirstName || FileOf(point.Doubts[i]) == file ? newest[i] : 0;
            yield return options;
        }

        foreach (var moment in Moments(point, newest, options)) yield return moment;
    }

    /// <summary>A random one: mostly kept, mostly lost, or anything.</summary>
    public int[] Any(CrashPoint point, int[] options)
    {
        var kept = random.Next(4) switch { 0 => 0.9, 1 => 0.1, 2 => 0.98, _ => 0.5 };
        var anything = random.Next(3) == 0 ? 0.5 : 0.05;
        for (var i = 0; i < options.Length; i++)
        {
            var doubt = point.Doubts[i];
            options[i] = random.NextDouble() < anything
                ? random.Next(doubt.Options)
                : random.NextDouble() < kept ? doubt.Newest
                : 0;
        }

        return options;
    }

    /// <summary>
    /// Names as they were at one moment, in the order of their changes; sectors all of one earlier content.
    /// </summary>
    private IEnumerable<int[]> Moments(CrashPoint point, int[] newest, int[] options)
    {
        var names = options.Length - point.FirstName;
        for (var n = 0; n < Math.Min(names, 6); n++)
        {
            newest.CopyTo(options, 0);
            for (var i = point.FirstName + random.Next(names); i < options.Length; i++) options[i] = 0;
            yield return options;
        }

        for (var n = 0; n < 4 && point.Sectors > 0; n++)
        {
            newest.CopyTo(options, 0);
            var share = random.NextDouble();
            for (var i = 0; i < point.Sectors; i++) options[i] = (int)(share * point.Doubts[i].Whole);
            yield return options;
        }
    }

    private static List<int> Files(CrashPoint point) =>
        [.. point.Doubts.Take(point.FirstName).Select(FileOf).Distinct()];

    private static int FileOf(CrashChoice doubt) => doubt.Sector?.Page.File.Id ?? doubt.Length?.Id ?? 0;
}
