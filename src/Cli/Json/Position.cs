namespace Varve.Cli.Json;

/// <summary>An index of the log and its term.</summary>
internal sealed record Position(ulong Index, ulong Term)
{
    public static Position Of(LogId id) => new(id.Index, id.Term);
}
