using System.IO.Hashing;
using System.Runtime.InteropServices;
using Varve.Storage;

namespace Varve.Tables;

/// <summary>
/// The write buffer of a table: aligned writes of one size. The next bytes can be put together in place
/// (<see cref="Reserve"/>). Bytes are hashed while the processor's caches still have them. One thread.
/// </summary>
internal sealed class TableOutput(IStorageFile file) : IDisposable
{
    /// <summary>
    /// The page cache, and then the mapping, holds writes of this size in huge pages, which halves the cost of a scan.
    /// </summary>
    private const int WriteBytes = 2 << 20;

    private const int PageSize = 4096;
    private readonly XxHash128 _hash = new();

    // SAFETY: the allocation of Capacity bytes that this object owns; null once disposed, and Reserve checks that.
    private unsafe byte* _buffer = (byte*)NativeMemory.AlignedAlloc((nuint)WriteBytes + PageSize, PageSize);
    private int _capacity = WriteBytes + PageSize;
    private long _written;
    private int _used;

    /// <summary>The offset in the file of the next byte.</summary>
    public long Position => _written + _used;

    /// <summary>Returns room for the next bytes, with arbitrary contents, valid until the next call.</summary>
    // SAFETY: the buffer has room for the bytes behind those in use.
    public unsafe Span<byte> Reserve(int bytes)
    {
        ObjectDisposedException.ThrowIf(_buffer is null, this);
        if (bytes > _capacity - _used) Grow(_used + bytes);
        return new Span<byte>(_buffer + _used, bytes);
    }

    /// <summary>Adds the first bytes of the room that was last reserved.</summary>
    // SAFETY: the caller passes at most the number of bytes that it reserved; whole writes leave from the front, and
    // the rest, which may overlap its new place, is moved there.
    public unsafe void Commit(int bytes)
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

    /// <summary>Appends zeros up to a multiple of 64.</summary>
    public void Align()
    {
        Span<byte> zeros = stackalloc byte[64];
        zeros.Clear();
        Append(zeros[..(int)(-Position & 63)]);
    }

    /// <summary>Writes the rest of the buffer and returns the hash of the whole file.</summary>
    public UInt128 Finish()
    {
        if (_used != 0) Write(0, _used);
        _used = 0;
        return _hash.GetCurrentHashAsUInt128();
    }

    // SAFETY: frees the allocation once; a second call frees null.
    public unsafe void Dispose()
    {
        NativeMemory.AlignedFree(_buffer);
        _buffer = null;
    }

    // SAFETY: the callers pass a range of the bytes in use.
    private unsafe void Write(int from, int bytes)
    {
        file.Write(_written, new ReadOnlySpan<byte>(_buffer + from, bytes));
        file.BeginSync(_written, bytes); // the sync at the end then has less to wait for
        _written += bytes;
    }

    // SAFETY: the new allocation is larger than the bytes in use, which are copied before the old one is freed.
    private unsafe void Grow(int needed)
    {
        needed = checked(needed + PageSize);
        var larger = (byte*)NativeMemory.AlignedAlloc((nuint)needed, PageSize);
        Buffer.MemoryCopy(_buffer, larger, needed, _used);
        NativeMemory.AlignedFree(_buffer);
        _buffer = larger;
        _capacity = needed;
    }
}
