namespace Varve.Format;

/// <summary>A checksummed part of a table file.</summary>
/// <param name="Offset">Where it begins in the file.</param>
/// <param name="Length">Its bytes, without the zeros that follow it.</param>
/// <param name="Checksum"><see cref="TableChecksum"/> of them.</param>
internal readonly record struct TableRegion(long Offset, long Length, ulong Checksum)
{
    /// <summary>Regions begin at multiples of this.</summary>
    public const int Alignment = 64;

    /// <summary>Most bytes of a region.</summary>
    public const int LengthMax = int.MaxValue;

    public long End => Offset + Length;
}
