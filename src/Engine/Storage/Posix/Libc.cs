using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Varve.Storage;

/// <summary>
/// Calls of the C library that have no managed equal, or whose managed equal hides failures. The only P/Invoke of the
/// product. Constants are those of Linux unless a macOS value stands beside them.
/// </summary>
/// <remarks>
/// <c>open</c> and <c>fcntl</c> are variadic. Where variadic arguments travel apart from named ones (macOS on arm64)
/// the mode of a new file arrives as garbage, so <see cref="PosixStorage"/> sets it again there through <c>fchmod</c>.
/// </remarks>
internal static partial class Libc
{
    private const string Name = "libc";

    public static readonly int MS_SYNC = OperatingSystem.IsMacOS() ? 0x10 : 4;
    public static readonly int O_CREAT = OperatingSystem.IsMacOS() ? 0x200 : 0x40;
    public static readonly int O_EXCL = OperatingSystem.IsMacOS() ? 0x800 : 0x80;
    public static readonly int O_CLOEXEC = OperatingSystem.IsMacOS() ? 0x1000000 : 0x80000;
    public static readonly int O_NONBLOCK = OperatingSystem.IsMacOS() ? 0x4 : 0x800;
    public static readonly int O_NOFOLLOW = OperatingSystem.IsMacOS()
        ? 0x100
        : RuntimeInformation.ProcessArchitecture is Architecture.Arm or Architecture.Arm64 or Architecture.Ppc64le
        ? 0x8000
        : 0x20000;
    public const int O_RDONLY = 0;
    public const int O_RDWR = 2;

    public const int SEEK_END = 2;
    public const int LOCK_SH = 1;
    public const int LOCK_EX = 2;
    public const int LOCK_NB = 4;
    public const int LOCK_UN = 8;
    public const int F_FULLFSYNC = 51; // macOS

    // Linux: locks that belong to the open file description, as flock's do.
    public const int F_OFD_GETLK = 36;
    public const int F_OFD_SETLK = 37;
    public const short F_RDLCK = 0;
    public const short F_WRLCK = 1;
    public const short F_UNLCK = 2;

    public const int PROT_NONE = 0;
    public const int PROT_READ = 1;
    public const int PROT_WRITE = 2;
    public const int MAP_SHARED = 1;
    public const int MAP_PRIVATE = 2;
    public static readonly int MAP_ANONYMOUS = OperatingSystem.IsMacOS() ? 0x1000 : 0x20;
    public static readonly int MAP_NORESERVE = OperatingSystem.IsMacOS() ? 0x40 : 0x4000;
    public const int MADV_RANDOM = 1;
    public const int MADV_WILLNEED = 3;
    public const int MADV_POPULATE_READ = 22;
    public const int MADV_POPULATE_WRITE = 23;
    public const int POSIX_FADV_RANDOM = 1;
    public const int POSIX_FADV_WILLNEED = 3;

    public const uint SYNC_FILE_RANGE_WRITE = 2;
    public const int AT_EMPTY_PATH = 0x1000;
    public const uint STATX_NLINK = 4;
    public const int StatusSize = 256;
    public const int StatusMaskOffset = 0;
    public const int StatusLinksOffset = 16;

    public const int EPERM = 1;
    public const int ENOENT = 2;
    public const int EINTR = 4;
    public const int ENXIO = 6;
    public const int EBADF = 9;
    public const int EACCES = 13;
    public const int EEXIST = 17;
    public const int EXDEV = 18;
    public const int EINVAL = 22;
    public const int EISDIR = 21;
    public const int ENFILE = 23;
    public const int EMFILE = 24;
    public const int ENOMEM = 12;
    public const int ENOSPC = 28;
    public const int ESPIPE = 29;
    public const int EMLINK = 31;
    public static readonly int ELOOP = OperatingSystem.IsMacOS() ? 62 : 40;
    public static readonly int EAGAIN = OperatingSystem.IsMacOS() ? 35 : 11;
    public static readonly int ENOSYS = OperatingSystem.IsMacOS() ? 78 : 38;
    public static readonly int ENOTSUP = OperatingSystem.IsMacOS() ? 45 : 95;
    public static readonly int EOPNOTSUPP = OperatingSystem.IsMacOS() ? 102 : 95;
    public static readonly int EDQUOT = OperatingSystem.IsMacOS() ? 69 : 122;

    [LibraryImport(Name, EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Open(string path, int flags, uint mode);

    [LibraryImport(Name, EntryPoint = "fchmod", SetLastError = true)]
    public static partial int Chmod(SafeFileHandle file, uint mode);

    [LibraryImport(Name, EntryPoint = "lseek", SetLastError = true)]
    public static partial long Seek(SafeFileHandle file, long offset, int whence);

    // SAFETY: the caller pins the buffer and passes its length.
    [LibraryImport(Name, EntryPoint = "pread", SetLastError = true)]
    public static unsafe partial nint Read(SafeFileHandle file, byte* buffer, nuint count, long offset);

    // SAFETY: the caller pins the buffer and passes its length.
    [LibraryImport(Name, EntryPoint = "pwrite", SetLastError = true)]
    public static unsafe partial nint Write(SafeFileHandle file, byte* buffer, nuint count, long offset);

    /// <summary>Returns the error and leaves errno alone.</summary>
    [LibraryImport(Name, EntryPoint = "posix_fallocate")]
    public static partial int Allocate(SafeFileHandle file, long offset, long length);

    [LibraryImport(Name, EntryPoint = "fdatasync", SetLastError = true)]
    public static partial int SyncData(SafeFileHandle file);

    /// <summary>Linux only.</summary>
    [LibraryImport(Name, EntryPoint = "sync_file_range", SetLastError = true)]
    public static partial int SyncRange(SafeFileHandle file, long offset, long length, uint flags);

    [LibraryImport(Name, EntryPoint = "fsync", SetLastError = true)]
    public static partial int Sync(SafeFileHandle file);

    [LibraryImport(Name, EntryPoint = "ftruncate", SetLastError = true)]
    public static partial int Truncate(SafeFileHandle file, long length);

    /// <summary>Linux only. The fields have the same offsets on every processor.</summary>
    // SAFETY: the caller passes StatusSize bytes.
    [LibraryImport(Name, EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static unsafe partial int Status(SafeFileHandle file, string path, int flags, uint mask, byte* status);

    [LibraryImport(Name, EntryPoint = "fcntl", SetLastError = true)]
    public static partial int Control(SafeFileHandle file, int command);

    /// <summary>Linux only.</summary>
    // SAFETY: the caller passes a FileLock of its own that lives during the call.
    [LibraryImport(Name, EntryPoint = "fcntl", SetLastError = true)]
    public static unsafe partial int ControlLock(SafeFileHandle file, int command, FileLock* range);

    [LibraryImport(Name, EntryPoint = "flock", SetLastError = true)]
    public static partial int Lock(SafeFileHandle file, int operation);

    [LibraryImport(Name, EntryPoint = "mkdir", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int MakeDirectory(string path, uint mode);

    [LibraryImport(Name, EntryPoint = "link", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Link(string existing, string name);

    [LibraryImport(Name, EntryPoint = "rename", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Rename(string from, string to);

    [LibraryImport(Name, EntryPoint = "unlink", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Unlink(string path);

    [LibraryImport(Name, EntryPoint = "rmdir", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int RemoveDirectory(string path);

    /// <summary>On Linux for the calling thread alone, elsewhere for the process.</summary>
    [LibraryImport(Name, EntryPoint = "nice")]
    public static partial int Nice(int increment);

    // SAFETY: these members map, change and ask about address ranges: each caller passes a range that it owns, and
    // the memory that a call writes to lives during the call.
    [LibraryImport(Name, EntryPoint = "mmap", SetLastError = true)]
    public static unsafe partial void* Map(
        void* address, nuint length, int protection, int flags, SafeFileHandle file, long offset);

    [LibraryImport(Name, EntryPoint = "mmap", SetLastError = true)]
    public static unsafe partial void* MapAnonymous(
        void* address, nuint length, int protection, int flags, int file, long offset);

    [LibraryImport(Name, EntryPoint = "munmap", SetLastError = true)]
    public static unsafe partial int Unmap(void* address, nuint length);

    [LibraryImport(Name, EntryPoint = "mprotect", SetLastError = true)]
    public static unsafe partial int Protect(void* address, nuint length, int protection);

    [LibraryImport(Name, EntryPoint = "msync", SetLastError = true)]
    public static unsafe partial int SyncMapped(void* address, nuint length, int flags);

    [LibraryImport(Name, EntryPoint = "madvise", SetLastError = true)]
    public static unsafe partial int Advise(void* address, nuint length, int advice);

    [LibraryImport(Name, EntryPoint = "mincore")]
    public static unsafe partial int InCore(void* address, nuint length, byte* pages);

    /// <summary>Linux only. Returns the error and leaves errno alone.</summary>
    [LibraryImport(Name, EntryPoint = "posix_fadvise")]
    public static partial int AdviseFile(SafeFileHandle file, long offset, long length, int advice);

    /// <summary>
    /// The C library's <c>struct flock</c> of systems with 64-bit pointers. A length of 0 reaches to the file's end.
    /// </summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct FileLock
    {
        public short Type;
        public short Whence;
        public long Start;
        public long Length;
        public int Process; // 0 in a request
    }
}
