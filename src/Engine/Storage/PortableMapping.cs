using System.IO.MemoryMappedFiles;

namespace Varve.Storage;

/// <summary>A range mapped by <see cref="PortableFile"/>; no view for an empty one.</summary>
internal sealed unsafe class PortableMapping : IMapping
{
    private readonly MemoryMappedViewAccessor? view;
    private readonly Action? syncFile;
    private readonly Lock gate = new();
    private bool disposed;

    public PortableMapping(MemoryMappedViewAccessor? view, long length, Action? syncFile = null)
    {
        this.view = view;
        this.syncFile = syncFile;
        if (view is null) return;
        byte* address = null;
        view.SafeMemoryMappedViewHandle.AcquirePointer(ref address); // the view is kept until Dispose gives the pointer back
        Address = address + view.PointerOffset;
        Length = length; // a view's own capacity may be rounded up to whole pages
    }

    public byte* Address { get; }

    public long Length { get; }

    public void Dirtied(long offset, long length) { }

    public void Sync(long offset, long length)
    {
        ObjectDisposedException.ThrowIf(!TryFlush(), this);
        syncFile?.Invoke();
    }

    public void Populate(long offset, long length)
    {
        if (offset < 0 || length < 0 || offset > Length - length) throw new ArgumentOutOfRangeException(nameof(offset));
    }

    public bool IsResident(long offset, long length)
    {
        if (offset < 0 || length < 0 || offset > Length - length) throw new ArgumentOutOfRangeException(nameof(offset));
        return false; // nobody to ask
    }

    /// <summary>Writes the view's stores to the file; false once it is unmapped.</summary>
    public bool TryFlush()
    {
        lock (gate)
        {
            if (!disposed) view?.Flush();
            return !disposed;
        }
    }

    public void Dispose()
    {
        lock (gate)
        {
            if (disposed) return;
            disposed = true;
            if (view is null) return;
            // The handle, not the accessor: the accessor's Dispose flushes first, and may throw.
            view.SafeMemoryMappedViewHandle.ReleasePointer();
            view.SafeMemoryMappedViewHandle.Dispose();
        }
    }
}
