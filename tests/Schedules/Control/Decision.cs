using System.Globalization;

namespace Varve.Tests.Schedules.Control;

/// <summary>
/// A preemption at a step. By default the running thread continues, or the lowest numbered thread that can run if it
/// cannot. A schedule is the list of its preemptions.
/// </summary>
internal readonly record struct Decision(int Step, int Choice)
{
    public const int ThreadsMax = 7;

    /// <summary>The store that was just made stays in its buffer.</summary>
    public const int Keep = 15;

    private const int FlushBase = 8;

    public bool IsThread => Choice < ThreadsMax;

    public static int Flush(int thread) => FlushBase + thread;

    public static bool IsFlush(int choice, out int thread)
    {
        thread = choice - FlushBase;
        return choice is >= FlushBase and < FlushBase + ThreadsMax;
    }

    public override string ToString()
    {
        var choice = Choice == Keep ? "k" : IsFlush(Choice, out var thread) ? $"f{thread}" : $"{Choice}";
        return string.Create(CultureInfo.InvariantCulture, $"{Step}:{choice}");
    }

    public static string Print(IEnumerable<Decision> schedule) => string.Join(',', schedule);

    public static Decision[] Parse(string schedule) =>
        [.. schedule.Split(',', StringSplitOptions.RemoveEmptyEntries).Select(part =>
        {
            var colon = part.IndexOf(':', StringComparison.Ordinal);
            var choice = part[(colon + 1)..];
            return new Decision(
                int.Parse(part[..colon], CultureInfo.InvariantCulture),
                choice == "k" ? Keep : choice[0] == 'f' ? Flush(Number(choice[1..])) : Number(choice));
        })];

    private static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);
}
