using System.IO.MemoryMappedFiles;
using Varve.Epochs;

namespace Varve.Storage;

/// <summary>A range mapped by <see cref="PortableFile"/>. An empty range has no view.</summary>
internal sealed class PortableMapping : IMapping
{
    private readonly MemoryMappedViewAccessor? _view;
    private readonly Action? _syncFile;
    private readonly RankedLock _gate = new(LockOrder.Mapping);
    private bool _disposed;

    // SAFETY: the acquired pointer keeps the view mapped until Dispose releases it, and the view has the length.
    public unsafe PortableMapping(MemoryMappedViewAccessor? view, long length, Action? syncFile = null)
    {
        _view = view;
        _syncFile = syncFile;
        if (view is null) return;
        byte* address = null;
        view.SafeMemoryMappedViewHandle.AcquirePointer(ref address);
        Address = address + view.PointerOffset;
        Length = length; // a view's own capacity may be rounded up to whole pages
    }

    // SAFETY: shows the address and reads nothing.
    public unsafe byte* Address { get; }

    public long Length { get; }

    public void Dirtied(long offset, long length) { }

    public void Sync(long offset, long length)
    {
        ObjectDisposedException.ThrowIf(!TryFlush(), this);
        _syncFile?.Invoke();
    }

    public void Populate(long offset, long length)
    {
        if (offset < 0 || length < 0 || offset > Length - length) throw new ArgumentOutOfRangeException(nameof(offset));
    }

    public bool IsResident(long offset, long length)
    {
        if (offset < 0 || length < 0 || offset > Length - length) throw new ArgumentOutOfRangeException(nameof(offset));
        return false; // the runtime has no such call
    }

    /// <summary>Writes the view's stores to the file. False after disposal.</summary>
    public bool TryFlush()
    {
        using (_gate.Enter())
        {
            if (!_disposed) _view?.Flush();
            return !_disposed;
        }
    }

    public void Dispose()
    {
        using (_gate.Enter())
        {
            if (_disposed) return;
            _disposed = true;
            if (_view is null) return;
            // The handle, not the accessor: the accessor's Dispose flushes first, and may throw.
            _view.SafeMemoryMappedViewHandle.ReleasePointer();
            _view.SafeMemoryMappedViewHandle.Dispose();
        }
    }
}
