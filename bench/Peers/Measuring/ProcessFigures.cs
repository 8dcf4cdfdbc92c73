using System.Buffers.Text;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Varve.Bench.Peers;

/// <summary>The kernel's figures of this process and of a directory.</summary>
internal static unsafe partial class ProcessFigures
{
    private const int AtFdCwd = -100;
    private const uint StatxBlocks = 0x400;
    private const int StatxBytes = 256;
    private const int BlocksOffset = 48;   // stx_blocks, in units of 512 bytes
    private const int AdviseDontNeed = 4;

    private static readonly SafeFileHandle Io = File.OpenHandle("/proc/self/io");
    private static readonly SafeFileHandle Memory = File.OpenHandle("/proc/self/statm");

    /// <summary>
    /// Bytes that the process has caused to be written to the device, or dirtied in mapped files. Allocates nothing.
    /// </summary>
    public static long WrittenBytes => IoField("\nwrite_bytes: "u8);

    /// <summary>Bytes that the process has caused to be read from the device.</summary>
    public static long ReadBytes => IoField("\nread_bytes: "u8);

    /// <summary>
    /// Anonymous resident memory: heaps, caches and memtables, without mapped files. Allocates nothing.
    /// </summary>
    public static long AnonymousBytes
    {
        get
        {
            Span<byte> text = stackalloc byte[128];   // pages: size resident shared ...
            text = text[..RandomAccess.Read(Memory, text, 0)];
            text = text[(text.IndexOf((byte)' ') + 1)..];
            if (!Utf8Parser.TryParse(text, out long resident, out var used)) return 0;
            return Utf8Parser.TryParse(text[(used + 1)..], out long shared, out _) ? (resident - shared) * 4096 : 0;
        }
    }

    /// <summary>Blocks in use under a directory: holes in sparse files do not count.</summary>
    public static long DiskBytes(string directory)
    {
        long total = 0;
        var buffer = stackalloc byte[StatxBytes];
        foreach (var path in Directory.EnumerateFiles(directory, "*", SearchOption.AllDirectories))
            if (statx(AtFdCwd, path, 0, StatxBlocks, buffer) == 0)
                total += *(long*)(buffer + BlocksOffset) * 512;
        return total;
    }

    /// <summary>
    /// Writes the files of a directory through and takes them out of the page cache; they must not be mapped.
    /// </summary>
    public static void DropFromCache(string directory)
    {
        foreach (var path in Directory.EnumerateFiles(directory, "*", SearchOption.AllDirectories))
        {
            using var file = File.OpenHandle(path);
            RandomAccess.FlushToDisk(file);
            posix_fadvise((int)file.DangerousGetHandle(), 0, 0, AdviseDontNeed);
        }
    }

    private static long IoField(ReadOnlySpan<byte> name)
    {
        Span<byte> text = stackalloc byte[512];
        text = text[..RandomAccess.Read(Io, text, 0)];
        var at = text.IndexOf(name);
        return at >= 0 && Utf8Parser.TryParse(text[(at + name.Length)..], out long value, out _) ? value : 0;
    }

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int statx(int directory, string path, int flags, uint mask, byte* result);

    [LibraryImport("libc")]
    private static partial int posix_fadvise(int file, long offset, long length, int advice);
}
