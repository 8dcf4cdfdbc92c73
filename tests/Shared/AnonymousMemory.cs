using System.Runtime.InteropServices;

namespace Varve.Tests.Shared;

/// <summary>
/// Pages of memory of their own, whose access can be taken away: a read where none is allowed faults at once.
/// </summary>
internal static partial class AnonymousMemory
{
    public const int NoAccess = 0;
    public const int ReadOnly = 1;
    private const int ReadAndWrite = 3;
    private const int PrivateAnonymous = 0x22;

    /// <summary>Zeros, to read and write.</summary>
    public static nint Map(nuint length) =>
        mmap(0, length, ReadAndWrite, PrivateAnonymous, -1, 0) is var address and not -1
            ? address
            : throw new IOException("mmap");

    public static void Protect(nint address, nuint length, int access)
    {
        if (mprotect(address, length, access) != 0) throw new IOException("mprotect");
    }

    public static void Unmap(nint address, nuint length) => _ = munmap(address, length);

    [LibraryImport("libc")]
    private static partial nint mmap(nint address, nuint length, int protection, int flags, int file, long offset);

    [LibraryImport("libc")]
    private static partial int mprotect(nint address, nuint length, int protection);

    [LibraryImport("libc")]
    private static partial int munmap(nint address, nuint length);
}
