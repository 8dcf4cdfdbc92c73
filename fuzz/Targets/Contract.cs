namespace Varve.Fuzz.Targets;

/// <summary>A decoder accepted bytes, or said something of them, that cannot be.</summary>
internal sealed class ContractBrokenException(string what) : Exception($"It does not hold: {what}.");

/// <summary>The demands of a target on its decoder.</summary>
internal static class Contract
{
    /// <exception cref="ContractBrokenException">It does not hold.</exception>
    public static void Holds(bool condition, string what)
    {
        if (!condition) throw new ContractBrokenException(what);
    }

    /// <summary>
    /// A failed decode names a reason and a place inside the bytes or at their end; a good one neither.
    /// </summary>
    public static void ErrorFits(bool decoded, Format.DecodeError error, int length)
    {
        Holds(decoded == (!error.IsFault), "a reason exactly for a refusal");
        Holds(error.Offset >= 0 && error.Offset <= length, "an error inside the bytes");
    }
}
