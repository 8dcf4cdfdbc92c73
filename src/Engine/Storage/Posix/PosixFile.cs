using Microsoft.Win32.SafeHandles;

namespace Varve.Storage;

/// <summary>An open file of <see cref="PosixStorage"/>.</summary>
internal sealed class PosixFile(string path, SafeFileHandle handle) : IStorageFile
{
    private const int ZeroWrite = 4096;

    public string Path { get; } = path;

    /// <summary>The open file, for <see cref="PosixStorage.TryTakeOver"/>.</summary>
    public SafeFileHandle Handle => handle;

    public long Length
    {
        get
        {
            var length = Libc.Seek(handle, 0, Libc.SEEK_END);
            return length >= 0 ? length : throw PosixError.Last("lseek", Path);
        }
    }

    // SAFETY: the destination is pinned during the call, which gets its length.
    public unsafe void Read(long offset, Span<byte> destination)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        while (!destination.IsEmpty)
        {
            nint count;
            fixed (byte* buffer = destination)
                count = Libc.Read(handle, buffer, (nuint)destination.Length, offset);
            if (count < 0)
            {
                if (PosixError.LastWasInterrupted) continue;
                throw PosixError.Last("pread", Path);
            }

            if (count == 0)
                throw new EndOfStreamException($"{Path}: ended at offset {offset}, {destination.Length} bytes short");
            destination = destination[(int)count..];
            offset += count;
        }
    }

    // SAFETY: the source is pinned during the call, which gets its length.
    public unsafe void Write(long offset, ReadOnlySpan<byte> source)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        while (!source.IsEmpty)
        {
            nint count;
            fixed (byte* buffer = source)
                count = Libc.Write(handle, buffer, (nuint)source.Length, offset);
            if (count < 0)
            {
                if (PosixError.LastWasInterrupted) continue;
                throw PosixError.Last("pwrite", Path);
            }

            if (count == 0) throw new IOException($"{Path}: pwrite wrote 0 bytes at offset {offset}");
            source = source[(int)count..];
            offset += count;
        }
    }

    public void Allocate(long length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        if (length == 0) return;
        if (!OperatingSystem.IsMacOS())
        {
            int error;
            do error = Libc.Allocate(handle, 0, length);
            while (error == Libc.EINTR);
            if (error == 0) return;
            if (error != Libc.EOPNOTSUPP && error != Libc.EINVAL && error != Libc.ENOSYS)
                throw PosixError.Of(error, "posix_fallocate", Path);
        }

        // Small writes: large ones leave large folios, which a mapped store would dirty as a whole
        // (docs/DURABILITY.md).
        ReadOnlySpan<byte> zeros = stackalloc byte[ZeroWrite];
        for (var at = Length; at < length; at += ZeroWrite) Write(at, zeros[..(int)Math.Min(ZeroWrite, length - at)]);
    }

    public void Truncate(long length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        while (Libc.Truncate(handle, length) != 0)
            if (!PosixError.LastWasInterrupted) throw PosixError.Last("ftruncate", Path);
    }

    public void BeginSync(long offset, long length)
    {
        // Without the flags that wait the call neither reports nor clears an error: the next fdatasync of this file
        // reports it.
        if (OperatingSystem.IsLinux()) _ = Libc.SyncRange(handle, offset, length, Libc.SYNC_FILE_RANGE_WRITE);
    }

    public void BeginRead(long offset, long length)
    {
        if (OperatingSystem.IsLinux()) _ = Libc.AdviseFile(handle, offset, length, Libc.POSIX_FADV_WILLNEED);
    }

    /// <summary>The number of names of the file; 0 if the system cannot tell.</summary>
    // SAFETY: the buffer has the size of the C library's structure, and the offsets are inside it.
    public unsafe uint CountNames()
    {
        if (!OperatingSystem.IsLinux()) return 0;
        var status = stackalloc byte[Libc.StatusSize];
        if (Libc.Status(handle, "", Libc.AT_EMPTY_PATH, Libc.STATX_NLINK, status) != 0) return 0;
        return (*(uint*)(status + Libc.StatusMaskOffset) & Libc.STATX_NLINK) == 0
            ? 0
            : *(uint*)(status + Libc.StatusLinksOffset);
    }

    public void Sync()
    {
        // An interrupted sync has not failed yet; every other error is final.
        while (OperatingSystem.IsMacOS() ? Libc.Control(handle, Libc.F_FULLFSYNC) == -1 : Libc.SyncData(handle) != 0)
            if (!PosixError.LastWasInterrupted) throw PosixError.Last("fdatasync", Path);
    }

    public void Sync(IMapping mapping, long offset, long length)
    {
        // On other systems msync leaves the bytes in the device's cache.
        if (OperatingSystem.IsLinux()) mapping.Sync(offset, length);
        else Sync();
    }

    // SAFETY: the kernel chooses the addresses, and the mapping object owns them. The file is at least as long.
    public unsafe IMapping Map(long length, MappingAccess access)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        if (length == 0) return new PosixMapping(Path, null, 0, access);
        var size = Length;
        if (length > size) throw new EndOfStreamException($"{Path}: cannot map {length} bytes of a file of {size}");
        var protection = access.IsReadOnly() ? Libc.PROT_READ : Libc.PROT_READ | Libc.PROT_WRITE;
        var address = Libc.Map(null, (nuint)length, protection, Libc.MAP_SHARED, handle, 0);
        if ((nint)address == -1) throw PosixError.LastOfMapping(Path);
        // Advice: a kernel that refuses it reads ahead more than needed.
        if (access is MappingAccess.ProbedTable or MappingAccess.SyncedSegment)
            _ = Libc.Advise(address, (nuint)length, Libc.MADV_RANDOM);
        if (access == MappingAccess.ProbedTable && OperatingSystem.IsLinux())
            _ = Libc.AdviseFile(handle, 0, 0, Libc.POSIX_FADV_RANDOM);
        return new PosixMapping(Path, (byte*)address, length, access);
    }

    public void Dispose() => handle.Dispose();
}
