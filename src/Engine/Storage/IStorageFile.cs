namespace Varve.Storage;

/// <summary>
/// An open file. Any thread may read and write at offsets. Disposal neither syncs nor unmaps.
/// </summary>
internal interface IStorageFile : IDisposable
{
    string Path { get; }

    long Length { get; }

    /// <summary>
    /// Reads exactly the span. The end of the file inside it is an <see cref="EndOfStreamException"/>.
    /// </summary>
    void Read(long offset, Span<byte> destination);

    /// <summary>Writes the whole span and extends the file if need be.</summary>
    void Write(long offset, ReadOnlySpan<byte> source);

    /// <summary>
    /// Allocates blocks for the first <paramref name="length"/> bytes and grows the size to it, so that a mapped store
    /// never meets a full disk. Never shrinks the file; the new bytes are zeros.
    /// </summary>
    void Allocate(long length);

    /// <summary>
    /// Cuts the file off. No mapping may reach beyond the new end. Only for files from
    /// <see cref="IStorage.TryTakeOver"/>.
    /// </summary>
    void Truncate(long length) => throw new NotSupportedException();

    /// <summary>
    /// Starts to write the dirty pages of a range to the device, and does not wait. Promises nothing and reports no
    /// error: the next <see cref="Sync()"/> has less to wait for, and reports the errors.
    /// </summary>
    void BeginSync(long offset, long length) { }

    /// <summary>
    /// Starts to read a range into the page cache, and does not wait. Advice: failure is ignored.
    /// </summary>
    void BeginRead(long offset, long length) { }

    /// <summary>
    /// Makes data and size durable (fdatasync). A failure is final: the pages may be lost (docs/DURABILITY.md).
    /// </summary>
    void Sync();

    /// <summary>
    /// Makes the stores to a range of a mapping of this file durable. Leaves the file's other dirty pages alone if the
    /// system can.
    /// </summary>
    void Sync(IMapping mapping, long offset, long length) => Sync();

    /// <summary>Maps the first <paramref name="length"/> bytes. The mapping outlives the file object.</summary>
    IMapping Map(long length, MappingAccess access);
}
