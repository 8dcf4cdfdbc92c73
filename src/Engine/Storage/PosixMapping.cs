namespace Varve.Storage;

/// <summary>
/// A range mapped by <see cref="PosixFile"/>. It has no finalizer: a mapping that is lost leaks, which is harmless, while
/// one unmapped under a reader is not.
/// </summary>
internal sealed unsafe class PosixMapping(string path, byte* address, long length, MappingAccess access) : IMapping
{
    /// <summary>
    /// Names the <see cref="AppContext"/> switch under which a disposed mapping keeps its addresses without any access, so
    /// that a read through a stale pointer faults at once instead of meeting whatever was mapped there next.
    /// </summary>
    public const string ProtectRetiredSwitch = "Varve.ProtectRetiredMappings";

    private const long PageSizeLeast = 4096;

    private int disposed;

    public byte* Address { get; } = address;

    public long Length { get; } = length;

    public void Dirtied(long offset, long length) { }

    public void Sync(long offset, long length)
    {
        if (offset < 0 || length <= 0 || offset > Length - length) throw new ArgumentOutOfRangeException(nameof(offset));
        var page = Math.Max(Environment.SystemPageSize, PageSizeLeast);
        var start = offset & ~(page - 1);
        if (Libc.SyncMapped(Address + start, (nuint)(offset + length - start), Libc.MS_SYNC) != 0) throw PosixError.Last("msync", path);
    }

    public void Populate(long offset, long length)
    {
        if (offset < 0 || length < 0 || offset > Length - length) throw new ArgumentOutOfRangeException(nameof(offset));
        if (length == 0 || Volatile.Read(ref disposed) != 0) return;
        var page = Math.Max(Environment.SystemPageSize, PageSizeLeast);
        var start = offset & ~(page - 1);
        var advice = OperatingSystem.IsMacOS() ? Libc.MADV_WILLNEED
            : access is not MappingAccess.Table ? Libc.MADV_POPULATE_WRITE : Libc.MADV_POPULATE_READ;
        _ = Libc.Advise(Address + start, (nuint)(offset + length - start), advice);
    }

    public void Dispose()
    {
        if (Interlocked.Exchange(ref disposed, 1) != 0 || Address == null) return;
        var retain = AppContext.TryGetSwitch(ProtectRetiredSwitch, out var on) && on;
        var result = retain ? Libc.Protect(Address, (nuint)Length, Libc.PROT_NONE) : Libc.Unmap(Address, (nuint)Length);
        if (result != 0) throw PosixError.Last(retain ? "mprotect" : "munmap", path);
    }
}
