using System.Runtime.CompilerServices;
using Varve.Storage;

namespace Varve.Tables;

/// <summary>
/// Makes data blocks resident before they are touched through the mapping (<see cref="TableAccess.Probed"/>).
/// <para>
/// <b>Problem.</b> A page fault that waits for a device holds its thread inside managed code. A garbage collection
/// waits for that thread, and every other thread waits for the collection. A system call does not: the runtime counts
/// its thread as away. So one system call asks the page cache for the block, and another reads what is missing. The
/// bytes are thrown away; afterwards the pages are in the cache, and a fault on them needs no device.
/// </para>
/// <para>
/// <b>Why not</b> a block cache of our own: it would need no question, but it would copy the block for every get that
/// misses it, also if the pages are in memory, and hold the same bytes twice.
/// </para>
/// <para>
/// <b>Limits.</b> The system may drop a page between the answer and the touch; that one touch then waits. Index, filter
/// and leases are read at open and not asked for again.
/// </para>
/// Any thread. Owns the file. Allocates nothing.
/// </summary>
internal sealed class TableResidency(IStorageFile file, IMapping mapping) : IDisposable
{
    /// <summary>A block of the usual size, on the stack; nothing looks at the bytes.</summary>
    private const int PieceBytes = 16 << 10;

    /// <summary>Reads a range unless it is resident. Returns true if it was.</summary>
    /// <exception cref="IOException">The device cannot read the range.</exception>
    public bool Ensure(long offset, long length)
    {
        if (mapping.IsResident(offset, length)) return true;
        Load(offset, length);
        return false;
    }

    /// <summary>Starts to read a range that the caller will soon need, unless it is resident.</summary>
    public void Begin(long offset, long length)
    {
        if (!mapping.IsResident(offset, length)) file.BeginRead(offset, length);
    }

    public void Dispose() => file.Dispose();

    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.NoInlining)] // keeps its stack out of the callers' frames
    private void Load(long offset, long length)
    {
        if (length > PieceBytes)
            file.BeginRead(offset, length); // the device gets the range at once, not in pieces
        Span<byte> piece = stackalloc byte[PieceBytes];
        for (var end = offset + length; offset < end; offset += PieceBytes)
            file.Read(offset, piece[..(int)Math.Min(PieceBytes, end - offset)]);
    }
}
