namespace Varve.Format;

/// <summary>
/// Outcomes of <paramref name="Count"/> consecutive entries: entry i at byte i / 8, bit i % 8 of
/// <paramref name="Bits"/>, least significant first; unused bits are zero.
/// </summary>
internal readonly record struct OutcomeRun(ulong FirstIndex, int Count, byte[] Bits)
{
    /// <summary>A bit an entry, set if it was refused, which excludes success; null: no entry was refused.</summary>
    public byte[]? Refused { get; init; }
}
