namespace Varve.Fuzz.Targets;

/// <summary>
/// The input of a target whose format has checksums: a byte of flags, then the bytes. With <see cref="Reseal"/> the
/// target first computes valid checksums, so that mutations reach the code behind them; without, the checksums are
/// attacked.
/// </summary>
internal static class SealedInput
{
    /// <summary>Put right checksums.</summary>
    public const byte Reseal = 1;

    /// <summary>Splits flags and bytes; the bytes are a copy that may be written to.</summary>
    public static byte[] Open(ReadOnlySpan<byte> input, out byte flags)
    {
        flags = input.IsEmpty ? (byte)0 : input[0];
        return input.IsEmpty ? [] : input[1..].ToArray();
    }

    /// <summary>A seed once as it is and once for resealing, so that half of the corpus is either.</summary>
    public static IEnumerable<(string, byte[])> Seeds(string name, ReadOnlySpan<byte> bytes, byte flags = Reseal) =>
        [(name, [0, .. bytes]), (name + "-resealed", [flags, .. bytes])];
}
