using System.Runtime.CompilerServices;
using Varve.Storage;

namespace Varve.Tables;

/// <summary>
/// Sees to it that data blocks are in memory before they are touched through the mapping
/// (<see cref="TableAccess.Probed"/>).
/// <para>
/// A page fault that has to wait for a device keeps its thread inside managed code, where a garbage collection waits
/// for it, and with the collection every other thread. A system call does not: the runtime regards the thread as away.
/// So the page cache is asked for the block first, by one call, and what is not there is read by another. Both the
/// bytes and the answer are thrown away: what counts is that the pages are in the cache afterwards, so that what is
/// left is at most a fault that needs no device.
/// </para>
/// <para>
/// A cache of blocks of our own would do without the question, but costs a copy of the block for every get that misses
/// it, also when the pages are in memory, and keeps the same bytes twice. Nothing is promised: between the answer and
/// the touch the system may drop a page; then that one touch waits as it always did. Index, filter and leases are read
/// at open and are not asked for again.
/// </para>
/// Any thread; owns the file. Allocates nothing.
/// </summary>
internal sealed class TableResidency(IStorageFile file, IMapping mapping) : IDisposable
{
    /// <summary>Room for a block of the usual size, on the stack: what is read is not looked at.</summary>
    private const int PieceBytes = 16 << 10;

    /// <summary>Reads a range unless all of it is in memory; true when it was.</summary>
    /// <exception cref="IOException">The device cannot read it.</exception>
    public bool Ensure(long offset, long length)
    {
        if (mapping.IsResident(offset, length)) return true;
        Load(offset, length);
        return false;
    }

    /// <summary>Has a range be on its way, unless it is in memory: for one who will soon need it.</summary>
    public void Begin(long offset, long length)
    {
        if (!mapping.IsResident(offset, length)) file.BeginRead(offset, length);
    }

    public void Dispose() => file.Dispose();

    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.NoInlining)] // its stack is only for those who read
    private void Load(long offset, long length)
    {
        if (length > PieceBytes)
            file.BeginRead(offset, length); // the device has all of it to do at once, not a piece after the other
        Span<byte> piece = stackalloc byte[PieceBytes];
        for (var end = offset + length; offset < end; offset += PieceBytes)
            file.Read(offset, piece[..(int)Math.Min(PieceBytes, end - offset)]);
    }
}
