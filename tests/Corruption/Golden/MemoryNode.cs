using System.Runtime.InteropServices;
using Varve.Tests.Shared;

namespace Varve.Tests.Corruption.Golden;

/// <summary>
/// The bytes of one file, in native memory that mappings share, so that a flip is one store. One made from given bytes
/// ends at a page that cannot be touched: a read past its end ends the test run.
/// </summary>
internal sealed unsafe class MemoryNode
{
    private const int Page = 4096;
    private nint _region;
    private nuint _regionSize;
    private long _capacity;
    private int _users = 1;
    private int _mappings;

    public MemoryNode() { }

    public MemoryNode(ReadOnlySpan<byte> bytes)
    {
        _regionSize = (nuint)((bytes.Length + Page - 1) / Page + 1) * Page;
        _region = AnonymousMemory.Map(_regionSize);
        AnonymousMemory.Protect(_region + (nint)_regionSize - Page, Page, AnonymousMemory.NoAccess);
        Address = (byte*)_region + _regionSize - Page - (nuint)bytes.Length;
        Length = _capacity = bytes.Length;
        bytes.CopyTo(Span);
    }

    public byte* Address { get; private set; }

    public long Length { get; private set; }

    public Span<byte> Span => new(Address, checked((int)Length));

    public void Use() => Interlocked.Increment(ref _users);

    public void Leave()
    {
        if (Interlocked.Decrement(ref _users) == 0) Free();
    }

    public void Map()
    {
        Interlocked.Increment(ref _mappings);
        Use();
    }

    public void Unmap()
    {
        Interlocked.Decrement(ref _mappings);
        Leave();
    }

    public void Grow(long length)
    {
        if (length <= Length) return;
        if (length > _capacity)
        {
            if (Volatile.Read(ref _mappings) != 0) throw new IOException("A mapped file grew.");
            var room = Math.Max(length, _capacity * 2);
            var next = (byte*)NativeMemory.AlignedAlloc((nuint)room, 64);
            new Span<byte>(next, (int)room).Clear();
            Span.CopyTo(new Span<byte>(next, (int)room));
            Free();
            Address = next;
            _capacity = room;
        }

        Length = length;
    }

    private void Free()
    {
        if (_region != 0) AnonymousMemory.Unmap(_region, _regionSize);
        else NativeMemory.AlignedFree(Address);
        _region = 0;
        Address = null;
    }
}
