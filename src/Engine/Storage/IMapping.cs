namespace Varve.Storage;

/// <summary>
/// A mapped range of a file. <see cref="IDisposable.Dispose"/> unmaps it, so the caller waits until no pin can see the
/// range (I8).
/// </summary>
internal interface IMapping : IDisposable
{
    // SAFETY: shows an address; the bytes up to Length are mapped until disposal.
    unsafe byte* Address { get; }

    long Length { get; }

    /// <summary>
    /// Reports a store to a range. A simulated disk records a version of the page; a real one does nothing.
    /// </summary>
    void Dirtied(long offset, long length);

    /// <summary>
    /// Makes the stores to a range durable without the file's other dirty pages. A failure is final, as with
    /// <see cref="IStorageFile.Sync()"/>.
    /// </summary>
    void Sync(long offset, long length);

    /// <summary>Makes a range resident (index and filter regions at open). Advice: failure is ignored.</summary>
    void Populate(long offset, long length);

    /// <summary>
    /// True if a range is in the page cache, so that a touch does not wait for a device. The system may drop pages the
    /// next moment. False if the system cannot be asked. Allocates nothing.
    /// </summary>
    bool IsResident(long offset, long length);
}
