namespace Varve.Tests.Shared.Disk;

/// <summary>What a mapping of a <see cref="SimFs"/> shows.</summary>
internal enum SimMappings
{
    /// <summary>The file's own memory: every mapping of a file shows the same bytes.</summary>
    Shared,

    /// <summary>
    /// A copy that ends at a page that cannot be touched, and is gone with the mapping: reads past a file's end and
    /// reads after unmapping fault. Stores reach the file when they are reported, synced or unmapped.
    /// </summary>
    Copies,

    /// <summary>
    /// As <see cref="Copies"/>, where there are too many for the kernel: the memory of small ones is used again, and
    /// what reads an unmapped one is not seen.
    /// </summary>
    ReusedCopies,
}
