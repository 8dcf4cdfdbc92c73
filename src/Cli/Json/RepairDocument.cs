using Varve.Inspection;

namespace Varve.Cli.Json;

/// <summary>The result of a repair.</summary>
internal sealed record RepairDocument(
    bool Exact, ulong Index, ulong Term, long Keys, ProblemLine[] Problems, LossLine[] Losses)
{
    public static RepairDocument Of(RepairReport report) => new(
        report.IsExact, report.LastApplied.Index, report.LastApplied.Term, report.LiveKeys,
        [.. report.Problems.Select(ProblemLine.Of)], [.. report.Losses.Select(LossLine.Of)]);
}
