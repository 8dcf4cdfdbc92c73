namespace Varve.Memory;

/// <summary>
/// Native memory of a fixed length at a fixed address: zeroed, at least 16-byte aligned, freed as a whole. Where the
/// platform can, a page takes memory only once it is touched.
/// </summary>
internal abstract class Reservation : IDisposable
{
    /// <summary>The address of the first byte; null after <see cref="Dispose"/>.</summary>
    // SAFETY: shows the memory that the derived class owns; nothing is read here.
    public unsafe byte* Address { get; protected set; }

    /// <summary>
    /// Frees the memory. The caller has made sure that no reader is left. A second call does nothing.
    /// </summary>
    public abstract void Dispose();
}
