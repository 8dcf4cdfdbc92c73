using Varve.Inspection;

namespace Varve.Cli.Json;

/// <summary>A damage or a remark of a verification.</summary>
internal sealed record ProblemLine(string Severity, string File, long Offset, string Structure, string Problem)
{
    public static ProblemLine Of(Problem problem) => new(
        problem.Severity == Inspection.Severity.Damage ? "damage" : "remark", problem.File, problem.Offset,
        problem.Structure, problem.Text);
}
