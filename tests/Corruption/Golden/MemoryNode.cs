using System.Runtime.InteropServices;
using Varve.Tests.Shared;

namespace Varve.Tests.Corruption.Golden;

/// <summary>
/// The bytes of one file, in native memory that mappings share, so that a flip is one store. One made from given bytes ends at a
/// page that cannot be touched: a read past its end ends the test run.
/// </summary>
internal sealed unsafe class MemoryNode
{
    private const int Page = 4096;
    private nint region;
    private nuint regionSize;
    private long capacity;
    private int users = 1;
    private int mappings;

    public MemoryNode() { }

    public MemoryNode(ReadOnlySpan<byte> bytes)
    {
        regionSize = (nuint)((bytes.Length + Page - 1) / Page + 1) * Page;
        region = AnonymousMemory.Map(regionSize);
        AnonymousMemory.Protect(region + (nint)regionSize - Page, Page, AnonymousMemory.NoAccess);
        Address = (byte*)region + regionSize - Page - (nuint)bytes.Length;
        Length = capacity = bytes.Length;
        bytes.CopyTo(Span);
    }

    public byte* Address { get; private set; }

    public long Length { get; private set; }

    public Span<byte> Span => new(Address, checked((int)Length));

    public void Use() => Interlocked.Increment(ref users);

    public void Leave()
    {
        if (Interlocked.Decrement(ref users) == 0) Free();
    }

    public void Map()
    {
        Interlocked.Increment(ref mappings);
        Use();
    }

    public void Unmap()
    {
        Interlocked.Decrement(ref mappings);
        Leave();
    }

    public void Grow(long length)
    {
        if (length <= Length) return;
        if (length > capacity)
        {
            if (Volatile.Read(ref mappings) != 0) throw new IOException("A mapped file grew.");
            var room = Math.Max(length, capacity * 2);
            var next = (byte*)NativeMemory.AlignedAlloc((nuint)room, 64);
            new Span<byte>(next, (int)room).Clear();
            Span.CopyTo(new Span<byte>(next, (int)room));
            Free();
            Address = next;
            capacity = room;
        }

        Length = length;
    }

    private void Free()
    {
        if (region != 0) AnonymousMemory.Unmap(region, regionSize);
        else NativeMemory.AlignedFree(Address);
        region = 0;
        Address = null;
    }
}
