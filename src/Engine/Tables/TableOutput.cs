using System.IO.Hashing;
using System.Runtime.InteropServices;
using Varve.Storage;

namespace Varve.Tables;

/// <summary>
/// The bytes of a table on their way to the file, in aligned writes of one size. What is next may be put together in place
/// (<see cref="Reserve"/>). Bytes are hashed as they come, while the processor still has them. One thread.
/// </summary>
internal sealed unsafe class TableOutput(IStorageFile file) : IDisposable
{
    /// <summary>The page cache holds such writes in huge pages, and so does the mapping, which halves the cost of a scan.</summary>
    private const int WriteBytes = 2 << 20;

    private const int PageSize = 4096;
    private readonly XxHash128 hash = new();
    private byte* buffer = (byte*)NativeMemory.AlignedAlloc((nuint)WriteBytes + PageSize, PageSize);
    private int capacity = WriteBytes + PageSize;
    private long written;
    private int used;

    /// <summary>Where in the file the next byte goes.</summary>
    public long Position => written + used;

    /// <summary>Room for the next bytes, which lives until the next call here. What is in it is any bytes.</summary>
    public Span<byte> Reserve(int bytes)
    {
        ObjectDisposedException.ThrowIf(buffer is null, this);
        if (bytes > capacity - used)
            Grow(used + bytes);
        return new Span<byte>(buffer + used, bytes);
    }

    /// <summary>Takes the first bytes of what was last reserved.</summary>
    public void Commit(int bytes)
    {
        hash.Append(new ReadOnlySpan<byte>(buffer + used, bytes));
        used += bytes;
        if (used < WriteBytes)
            return;
        int at = 0;
        for (; used - at >= WriteBytes; at += WriteBytes)
            Write(at, WriteBytes);
        used -= at;
        Buffer.MemoryCopy(buffer + at, buffer, capacity, used);
    }

    public void Append(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            int part = Math.Min(bytes.Length, WriteBytes - used);
            bytes[..part].CopyTo(Reserve(part));
            Commit(part);
            bytes = bytes[part..];
        }
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
        if (used != 0)
            Write(0, used);
        used = 0;
        return hash.GetCurrentHashAsUInt128();
    }

    public void Dispose()
    {
        NativeMemory.AlignedFree(buffer);
        buffer = null;
    }

    private void Write(int from, int bytes)
    {
        file.Write(written, new ReadOnlySpan<byte>(buffer + from, bytes));
        file.BeginSync(written, bytes); // the disk works while we do, and the sync at the end waits less
        written += bytes;
    }

    private void Grow(int needed)
    {
        needed = checked(needed + PageSize);
        byte* larger = (byte*)NativeMemory.AlignedAlloc((nuint)needed, PageSize);
        Buffer.MemoryCopy(buffer, larger, needed, used);
        NativeMemory.AlignedFree(buffer);
        buffer = larger;
        capacity = needed;
    }
}
