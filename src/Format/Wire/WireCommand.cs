namespace Varve.Format;

/// <summary>
/// The parts of a command to encode. A part that the kind does not have is empty, and <see cref="WireWriter"/> ignores
/// it.
/// </summary>
internal readonly ref struct WireCommand
{
    public CommandKind Kind { get; init; }

    public ReadOnlySpan<byte> Key { get; init; }

    public ReadOnlySpan<byte> Value { get; init; }

    /// <summary>For a compare-and-swap, false: the key must not exist.</summary>
    public bool HasExpected { get; init; }

    public ReadOnlySpan<byte> Expected { get; init; }

    /// <summary>Seconds until the key expires; 0: never.</summary>
    public ulong TtlSeconds { get; init; }
}
