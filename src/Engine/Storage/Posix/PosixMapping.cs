namespace Varve.Storage;

/// <summary>
/// A range mapped by <see cref="PosixFile"/>. It has no finalizer: a mapping that is lost leaks, which is harmless,
/// while one unmapped under a reader is not.
/// </summary>
internal sealed unsafe class PosixMapping(string path, byte* address, long length, MappingAccess access) : IMapping
{
    /// <summary>
    /// Names the <see cref="AppContext"/> switch under which a disposed mapping keeps its addresses without any access,
    /// so that a read through a stale pointer faults at once instead of meeting whatever was mapped there next.
    /// </summary>
    public const string ProtectRetiredSwitch = "Varve.ProtectRetiredMappings";

    private const long PageSizeLeast = 4096;
    private const int PagesAtOnce = 64;

    // A call of the C library every time it is asked.
    private static readonly long Page = Math.Max(Environment.SystemPageSize, PageSizeLeast);

    private int _disposed;

    public byte* Address { get; } = address;

    public long Length { get; } = length;

    public void Dirtied(long offset, long length) { }

    public void Sync(long offset, long length)
    {
        if (offset < 0 || length <= 0 || offset > Length - length)
            throw new ArgumentOutOfRangeException(nameof(offset));
        var start = offset & ~(Page - 1);
        // As of fdatasync: an interrupted one has not failed yet.
        while (Libc.SyncMapped(Address + start, (nuint)(offset + length - start), Libc.MS_SYNC) != 0)
            if (!PosixError.LastWasInterrupted) throw PosixError.Last("msync", path);
    }

    public void Populate(long offset, long length)
    {
        if (offset < 0 || length < 0 || offset > Length - length) throw new ArgumentOutOfRangeException(nameof(offset));
        if (length == 0 || Volatile.Read(ref _disposed) != 0) return;
        var start = offset & ~(Page - 1);
        // All of it at once: a fault of such a mapping reads a page.
        if (access == MappingAccess.ProbedTable)
            _ = Libc.Advise(Address + start, (nuint)(offset + length - start), Libc.MADV_WILLNEED);
        var advice = OperatingSystem.IsMacOS()
            ? Libc.MADV_WILLNEED
            : access.IsReadOnly() ? Libc.MADV_POPULATE_READ
            : Libc.MADV_POPULATE_WRITE;
        _ = Libc.Advise(Address + start, (nuint)(offset + length - start), advice);
    }

    /// <summary>
    /// The system tells it to whoever owns the file or may write it. To others it says yes to everything (mincore(2));
    /// the engine's own files can be opened by their owner alone.
    /// </summary>
    public bool IsResident(long offset, long length)
    {
        if (offset < 0 || length < 0 || offset > Length - length) throw new ArgumentOutOfRangeException(nameof(offset));
        var pages = stackalloc byte[PagesAtOnce];
        var end = offset + length;
        for (var at = offset & ~(Page - 1); at < end; at += PagesAtOnce * Page)
        {
            var bytes = Math.Min(PagesAtOnce * Page, end - at);
            if (Libc.InCore(Address + at, (nuint)bytes, pages) != 0) return false; // the caller's pin keeps the mapping
            for (var i = 0; i < (bytes + Page - 1) / Page; i++)
                if ((pages[i] & 1) == 0) return false;
        }

        return true;
    }

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0 || Address == null) return;
        var retain = AppContext.TryGetSwitch(ProtectRetiredSwitch, out var on) && on;
        var result = retain ? Libc.Protect(Address, (nuint)Length, Libc.PROT_NONE) : Libc.Unmap(Address, (nuint)Length);
        if (result != 0) throw PosixError.Last(retain ? "mprotect" : "munmap", path);
    }
}
