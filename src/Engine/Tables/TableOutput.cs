using System.IO.Hashing;
using System.Runtime.InteropServices;
using Varve.Storage;

namespace Varve.Tables;

/// <summary>
/// The bytes of a table on their way to the file, in aligned writes of one size. What is next may be put together in
/// place (<see cref="Reserve"/>). Bytes are hashed as they come, while the processor still has them. One thread.
/// </summary>
internal sealed unsafe class TableOutput(IStorageFile file) : IDisposable
{
    /// <summary>
    /// The page cache holds such writes in huge pages, and so does the mapping, which halves the cost of a scan.
    /// </summary>
    private const int WriteBytes = 2 << 20;

    private const int PageSize = 4096;
    private readonly XxHash128 _hash = new();
    private byte* _buffer = (byte*)NativeMemory.AlignedAlloc((nuint)WriteBytes + PageSize, PageSize);
    private int _capacity = WriteBytes + PageSize;
    private long _written;
    private int _used;

    /// <summary>Where in the file the next byte goes.</summary>
    public long Position => _written + _used;

    /// <summary>Room for the next bytes, which lives until the next call here. What is in it is any bytes.</summary>
    public Span<byte> Reserve(int bytes)
    {
        ObjectDisposedException.ThrowIf(_buffer is null, this);
        if (bytes > _capacity - _used) Grow(_used + bytes);
        return new Span<byte>(_buffer + _used, bytes);
    }

    /// <summary>Takes the first bytes of what was last reserved.</summary>
    public void Commit(int bytes)
    {
        _hash.Append(new ReadOnlySpan<byte>(_buffer + _used, bytes));
        _used += bytes;
        if (_used < WriteBytes) return;
        var at = 0;
        for (; _used - at >= WriteBytes; at += WriteBytes)
            Write(at, WriteBytes);
        _used -= at;
        Buffer.MemoryCopy(_buffer + at, _buffer, _capacity, _used);
    }

    public void Append(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            var part = Math.Min(bytes.Length, WriteBytes - _used);
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
        if (_used != 0) Write(0, _used);
        _used = 0;
        return _hash.GetCurrentHashAsUInt128();
    }

    public void Dispose()
    {
        NativeMemory.AlignedFree(_buffer);
        _buffer = null;
    }

    private void Write(int from, int bytes)
    {
        file.Write(_written, new ReadOnlySpan<byte>(_buffer + from, bytes));
        file.BeginSync(_written, bytes); // the disk works while we do, and the sync at the end waits less
        _written += bytes;
    }

    private void Grow(int needed)
    {
        needed = checked(needed + PageSize);
        var larger = (byte*)NativeMemory.AlignedAlloc((nuint)needed, PageSize);
        Buffer.MemoryCopy(_buffer, larger, needed, _used);
        NativeMemory.AlignedFree(_buffer);
        _buffer = larger;
        _capacity = needed;
    }
}
