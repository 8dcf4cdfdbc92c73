namespace Varve.Fuzz.Targets;

/// <summary>
/// Decodes hostile bytes and checks the target's invariants. Returns the reached feature (<see cref="Feature"/>): the
/// mutation loop keeps inputs that reach a new one. Throws only if the decoder broke its contract.
/// </summary>
internal delegate ulong FuzzFunction(ReadOnlySpan<byte> input);

/// <summary>A decoder under attack.</summary>
/// <param name="Name">On the command line, and the folder of its corpus.</param>
/// <param name="Run">One execution.</param>
/// <param name="Seeds">Small valid inputs by file name, made by code.</param>
internal sealed record FuzzTarget(string Name, FuzzFunction Run, Func<IEnumerable<(string Name, byte[] Bytes)>> Seeds)
{
    /// <summary>The allocation allowed for any input: 16 MiB.</summary>
    public const long AllocationMaxPlain = 16L << 20;

    /// <summary>
    /// Most bytes that one execution may allocate on the managed heap: the plain cap plus the format's declared bounds.
    /// </summary>
    public long AllocationMax { get; init; } = AllocationMaxPlain;

    /// <summary>Has a bug on purpose, so that "all" leaves it out.</summary>
    public bool IsPlanted { get; init; }
}
