using System.IO.Hashing;
using System.Runtime.InteropServices;
using Varve.Storage;

namespace Varve.Tables;

/// <summary>
/// The bytes of a table on their way to the file, in aligned writes of one size. Hashes the file while it passes.
/// </summary>
internal sealed unsafe class TableOutput(IStorageFile file, int writeBytes) : IDisposable
{
    private readonly XxHash128 hash = new();
    private byte* buffer = (byte*)NativeMemory.AlignedAlloc((nuint)writeBytes, 4096);
    private long written;
    private int used;

    /// <summary>Where in the file the next byte goes.</summary>
    public long Position => written + used;

    public void Append(ReadOnlySpan<byte> bytes)
    {
        ObjectDisposedException.ThrowIf(buffer is null, this);
        while (bytes.Length > writeBytes - used)
        {
            int part = writeBytes - used;
            bytes[..part].CopyTo(new Span<byte>(buffer + used, part));
            used = writeBytes;
            Flush();
            bytes = bytes[part..];
        }
        bytes.CopyTo(new Span<byte>(buffer + used, writeBytes - used));
        used += bytes.Length;
    }

    /// <summary>Zeros up to a multiple of 64.</summary>
    public void Align()
    {
        Span<byte> zeros = stackalloc byte[64];
        zeros.Clear();
        Append(zeros[..(int)(-Position & 63)]);
    }

    /// <summary>Writes what is left and returns the hash of the whole file.</summary>
    public UInt128 Finish()
    {
        Flush();
        return hash.GetCurrentHashAsUInt128();
    }

    public void Dispose()
    {
        NativeMemory.AlignedFree(buffer);
        buffer = null;
    }

    private void Flush()
    {
        var bytes = new ReadOnlySpan<byte>(buffer, used);
        if (bytes.IsEmpty)
            return;
        file.Write(written, bytes);
        hash.Append(bytes);
        written += used;
        used = 0;
    }
}
