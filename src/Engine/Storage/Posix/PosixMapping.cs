namespace Varve.Storage;

/// <summary>
/// A range mapped by <see cref="PosixFile"/>. It has no finalizer: a lost mapping leaks, which is harmless, but one
/// unmapped under a reader is not.
/// </summary>
internal sealed class PosixMapping : IMapping
{
    /// <summary>
    /// Names the <see cref="AppContext"/> switch under which a disposed mapping keeps its addresses without any access,
    /// so that a read through a stale pointer faults at once and never reads a later mapping.
    /// </summary>
    public const string ProtectRetiredSwitch = "Varve.ProtectRetiredMappings";

    private const long PageSizeLeast = 4096;
    private const int PagesAtOnce = 64;

    // Environment asks the C library every time.
    private static readonly long Page = Math.Max(Environment.SystemPageSize, PageSizeLeast);

    private readonly string _path;
    private readonly MappingAccess _access;
    private int _disposed;

    // SAFETY: these members take over a range that the file has just mapped; this object owns it until it is disposed,
    // and only then is it unmapped (I8).
    public unsafe PosixMapping(string path, byte* address, long length, MappingAccess access)
    {
        Address = address;
        (_path, Length, _access) = (path, length, access);
    }

    public unsafe byte* Address { get; }

    public long Length { get; }

    public void Dirtied(long offset, long length) { }

    // SAFETY: the range is checked against the length; rounding down to a page stays inside the mapping.
    public unsafe void Sync(long offset, long length)
    {
        if (offset < 0 || length <= 0 || offset > Length - length)
            throw new ArgumentOutOfRangeException(nameof(offset));
        var start = offset & ~(Page - 1);
        // As with fdatasync, an interrupted sync has not failed yet.
        while (Libc.SyncMapped(Address + start, (nuint)(offset + length - start), Libc.MS_SYNC) != 0)
            if (!PosixError.LastWasInterrupted) throw PosixError.Last("msync", _path);
    }

    // SAFETY: the range is checked against the length; advice changes no byte.
    public unsafe void Populate(long offset, long length)
    {
        if (offset < 0 || length < 0 || offset > Length - length) throw new ArgumentOutOfRangeException(nameof(offset));
        if (length == 0 || Volatile.Read(ref _disposed) != 0) return;
        var start = offset & ~(Page - 1);
        // At once: a fault of such a mapping reads a single page.
        if (_access == MappingAccess.ProbedTable)
            _ = Libc.Advise(Address + start, (nuint)(offset + length - start), Libc.MADV_WILLNEED);
        var advice = OperatingSystem.IsMacOS()
            ? Libc.MADV_WILLNEED
            : _access.IsReadOnly() ? Libc.MADV_POPULATE_READ
            : Libc.MADV_POPULATE_WRITE;
        _ = Libc.Advise(Address + start, (nuint)(offset + length - start), advice);
    }

    /// <summary>
    /// The system answers the owner of the file and those that may write it, and says yes to all others (mincore(2)).
    /// The engine's own files are opened by their owner alone.
    /// </summary>
    // SAFETY: the range is checked against the length, and the caller's pin keeps the mapping. A call gets the pages of
    // at most PagesAtOnce pages, the size of the buffer.
    public unsafe bool IsResident(long offset, long length)
    {
        if (offset < 0 || length < 0 || offset > Length - length) throw new ArgumentOutOfRangeException(nameof(offset));
        var pages = stackalloc byte[PagesAtOnce];
        var end = offset + length;
        for (var at = offset & ~(Page - 1); at < end; at += PagesAtOnce * Page)
        {
            var bytes = Math.Min(PagesAtOnce * Page, end - at);
            if (Libc.InCore(Address + at, (nuint)bytes, pages) != 0) return false;
            for (var i = 0; i < (bytes + Page - 1) / Page; i++)
                if ((pages[i] & 1) == 0) return false;
        }

        return true;
    }

    // SAFETY: unmaps the range once; the caller has made sure that no reader is left (I8).
    public unsafe void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0 || Address == null) return;
        var retain = AppContext.TryGetSwitch(ProtectRetiredSwitch, out var on) && on;
        var result = retain ? Libc.Protect(Address, (nuint)Length, Libc.PROT_NONE) : Libc.Unmap(Address, (nuint)Length);
        if (result != 0) throw PosixError.Last(retain ? "mprotect" : "munmap", _path);
    }
}
