using System.Runtime.InteropServices;

namespace Varve.Bench.Peers;

/// <summary>
/// Memory that a virtual machine has not used lately is not there until the hypervisor supplies it, an order of magnitude slower than a page fault.
/// Whoever is measured first would pay for it. So right before what is timed each child touches as much memory as the timed part may take, and frees it:
/// the pages are then in the guest's free lists, whoever ran before.
/// </summary>
internal static unsafe partial class FirstTouch
{
    private const int PageBytes = 4096;
    private const int ReadWrite = 3;
    private const int PrivateAnonymous = 0x22;
    private const int AdviseHugePages = 14;

    /// <summary>Touches for a data set: room for its database twice over, within a quarter of the machine's memory.</summary>
    public static void For(EntrySource source) =>
        Touch((long)Math.Min(source.UserBytes * 4 + (512 << 20), GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 4.0));

    public static void Touch(long bytes)
    {
        var start = mmap(null, (nuint)bytes, ReadWrite, PrivateAnonymous, -1, 0);
        if (start == (byte*)-1) return;
        madvise(start, (nuint)bytes, AdviseHugePages);
        for (long at = 0; at < bytes; at += PageBytes) start[at] = 1;
        munmap(start, (nuint)bytes);
    }

    [LibraryImport("libc")]
    private static partial byte* mmap(byte* address, nuint bytes, int protection, int flags, int file, nint offset);

    [LibraryImport("libc")]
    private static partial int munmap(byte* address, nuint bytes);

    [LibraryImport("libc")]
    private static partial int madvise(byte* address, nuint bytes, int advice);
}
