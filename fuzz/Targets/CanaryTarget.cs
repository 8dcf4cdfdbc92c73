namespace Varve.Fuzz.Targets;

/// <summary>
/// A decoder with a bug on purpose: four magic bytes, each a branch of its own. Guessing all of them at once takes 2^32
/// tries; a loop that keeps what reaches further finds them one by one. If this is not found, nothing else would be.
/// </summary>
internal static class CanaryTarget
{
    private static ReadOnlySpan<byte> Magic => "VRV!"u8;

    public static ulong Run(ReadOnlySpan<byte> input)
    {
        var depth = input.CommonPrefixLength(Magic);
        if (depth == Magic.Length) throw new InvalidOperationException("The canary sings.");
        return (ulong)depth;
    }

    public static IEnumerable<(string, byte[])> Seeds() => [("zeros", new byte[8])];
}
