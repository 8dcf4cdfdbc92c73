using System.IO.MemoryMappedFiles;
using Microsoft.Win32.SafeHandles;
using Varve.Epochs;

namespace Varve.Storage;

/// <summary>An open file of <see cref="PortableStorage"/>.</summary>
internal sealed class PortableFile(string path, SafeFileHandle handle) : IStorageFile
{
    private const int ZeroWrite = 4096;

    // Windows syncs the views of a file apart from the file.
    private readonly RankedLock _segmentsLock = new(LockOrder.FileMappings);
    private readonly List<PortableMapping> _segments = [];

    public string Path { get; } = path;

    public long Length => RandomAccess.GetLength(handle);

    public void Read(long offset, Span<byte> destination)
    {
        try
        {
            while (!destination.IsEmpty)
            {
                var count = RandomAccess.Read(handle, destination, offset);
                if (count == 0)
                    throw new EndOfStreamException(
                        $"{Path}: ended at offset {offset}, {destination.Length} bytes short");
                destination = destination[count..];
                offset += count;
            }
        }
        catch (Exception e) when (PortableError.TryTranslate(e, Path, out var translated))
        {
            throw translated;
        }
    }

    public void Write(long offset, ReadOnlySpan<byte> source)
    {
        try
        {
            RandomAccess.Write(handle, source, offset);
        }
        catch (Exception e) when (PortableError.TryTranslate(e, Path, out var translated))
        {
            throw translated;
        }
    }

    public void Allocate(long length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        // Written, not only sized: a size alone may be a hole, and a mapped store into a hole on a full disk kills the
        // process.
        ReadOnlySpan<byte> zeros = stackalloc byte[ZeroWrite];
        for (var at = Length; at < length; at += ZeroWrite) Write(at, zeros[..(int)Math.Min(ZeroWrite, length - at)]);
    }

    public void Sync()
    {
        try
        {
            using (_segmentsLock.Enter())
            {
                _segments.RemoveAll(static segment => !segment.TryFlush());
            }

            // Only Unix's half of this call swallows errors; on Windows it is FlushFileBuffers, checked.
#pragma warning disable RS0030
            RandomAccess.FlushToDisk(handle);
#pragma warning restore RS0030
        }
        catch (Exception e) when (PortableError.TryTranslate(e, Path, out var translated))
        {
            throw translated;
        }
    }

    public IMapping Map(long length, MappingAccess access)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        if (length == 0) return new PortableMapping(null, 0);
        var size = Length;
        if (length > size) throw new EndOfStreamException($"{Path}: cannot map {length} bytes of a file of {size}");
        try
        {
            var mode = access.IsReadOnly() ? MemoryMappedFileAccess.Read : MemoryMappedFileAccess.ReadWrite;
            // The view keeps the pages; only its creation needs the file mapping object.
            using var file = MemoryMappedFile.CreateFromFile(
                handle, null, 0, mode, HandleInheritability.None, leaveOpen: true);
            var mapping = new PortableMapping(file.CreateViewAccessor(0, length, mode), length, Sync);
            if (!access.IsReadOnly())
                using (_segmentsLock.Enter()) _segments.Add(mapping);
            return mapping;
        }
        catch (Exception e) when (PortableError.TryTranslate(e, Path, out var translated))
        {
            throw translated;
        }
    }

    public void Dispose() => handle.Dispose();
}
