namespace Varve.Cli.Json;

/// <summary>A change: its key and value as in <see cref="EntryLine"/>, its place in the log, its kind.</summary>
internal sealed record ChangeLine
{
    public required ulong Index { get; init; }

    public required ulong Term { get; init; }

    /// <summary><c>put</c>, <c>delete</c> or <c>expired</c>.</summary>
    public required string Kind { get; init; }

    public string? Key { get; init; }

    public byte[]? KeyBase64 { get; init; }

    /// <summary>Of a put alone.</summary>
    public string? Value { get; init; }

    public byte[]? ValueBase64 { get; init; }

    public static ChangeLine Of(Change change)
    {
        var entry = EntryLine.Of(change.Key.Span, change.Value.Span);
        var isPut = change.Kind == ChangeKind.Put;
        return new ChangeLine
        {
            Index = change.Index,
            Term = change.Term,
            Kind = KindOf(change),
            Key = entry.Key,
            KeyBase64 = entry.KeyBase64,
            Value = isPut ? entry.Value : null,
            ValueBase64 = isPut ? entry.ValueBase64 : null,
        };
    }

    /// <summary>The kind as text.</summary>
    public static string KindOf(Change change) => change.Kind switch
    {
        ChangeKind.Put => "put",
        ChangeKind.Delete => "delete",
        _ => "expired",
    };
}
