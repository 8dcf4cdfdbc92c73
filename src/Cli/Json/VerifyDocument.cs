using Varve.Inspection;

namespace Varve.Cli.Json;

/// <summary>The result of a verification.</summary>
internal sealed record VerifyDocument
{
    public required string Path { get; init; }

    public required string Kind { get; init; }

    public required bool Deep { get; init; }

    public required bool Whole { get; init; }

    public required int Damages { get; init; }

    public required int Remarks { get; init; }

    public required ProblemLine[] Problems { get; init; }

    public required long Files { get; init; }

    public required long Bytes { get; init; }

    public required long Blocks { get; init; }

    public required long Rows { get; init; }

    public required long Records { get; init; }

    public required long Entries { get; init; }

    public static VerifyDocument Of(
        string path, bool isDeep, IReadOnlyList<Problem> problems, VerificationTotals totals)
    {
        var damages = problems.Count(problem => problem.Severity == Severity.Damage);
        return new VerifyDocument
        {
            Path = path,
            Kind = totals.Kind,
            Deep = isDeep,
            Whole = damages == 0,
            Damages = damages,
            Remarks = problems.Count - damages,
            Problems = [.. problems.Select(ProblemLine.Of)],
            Files = totals.Files,
            Bytes = totals.Bytes,
            Blocks = totals.Blocks,
            Rows = totals.Rows,
            Records = totals.Records,
            Entries = totals.Entries,
        };
    }
}
