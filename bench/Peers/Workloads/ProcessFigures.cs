using System.Globalization;
using System.Runtime.InteropServices;

namespace Varve.Bench.Peers;

/// <summary>What the kernel says of this process and of a directory.</summary>
internal static unsafe partial class ProcessFigures
{
    private const int AtFdCwd = -100;
    private const uint StatxBlocks = 0x400;
    private const int StatxBytes = 256;
    private const int BlocksOffset = 48;   // stx_blocks, in units of 512 bytes

    /// <summary>Bytes that the process has caused to be written to the device, or dirtied in mapped files.</summary>
    public static long WrittenBytes => Field("/proc/self/io", "write_bytes:");

    /// <summary>Anonymous resident memory: heaps, caches and memtables, without mapped files.</summary>
    public static long AnonymousBytes => Field("/proc/self/status", "RssAnon:") * 1024;

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

    private static long Field(string file, string name)
    {
        foreach (var line in File.ReadLines(file))
            if (line.StartsWith(name, StringComparison.Ordinal))
                return long.Parse(line.AsSpan(name.Length).Trim().ToString().Split(' ')[0], CultureInfo.InvariantCulture);
        return 0;
    }

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int statx(int directory, string path, int flags, uint mask, byte* result);
}
