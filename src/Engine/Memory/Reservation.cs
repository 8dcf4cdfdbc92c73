namespace Varve.Memory;

/// <summary>
/// Native memory of a fixed length at a fixed address: zeroed, at least 16-byte aligned, given back as a whole. Where
/// the platform can, it costs addresses alone until a page is touched.
/// </summary>
internal abstract unsafe class Reservation : IDisposable
{
    /// <summary>Its first byte; null once it is given back.</summary>
    public byte* Address { get; protected set; }

    /// <summary>Gives it back. The caller knows that nobody reads any more. Giving back twice does nothing.</summary>
    public abstract void Dispose();
}
