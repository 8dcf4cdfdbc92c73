using System.Collections.Concurrent;

namespace Varve.Tests.Shared.Disk;

/// <summary>A copy of some bytes that ends at a page that cannot be touched.</summary>
internal sealed unsafe class GuardedMemory : IDisposable
{
    private const int Page = 4096;
    private const int SpareSize = (64 << 10) + Page;

    private static readonly ConcurrentBag<nint> Spares = [];

    private readonly nint _begin;
    private readonly nuint _size;
    private readonly bool _isSpare;

    /// <summary>Copies bytes. The memory of up to 64 KiB may be used again.</summary>
    public GuardedMemory(ReadOnlySpan<byte> bytes, bool mayReuse)
    {
        _size = (nuint)((bytes.Length + Page - 1) / Page + 1) * Page;
        _isSpare = mayReuse && _size <= SpareSize;
        if (_isSpare) _size = SpareSize;
        if (!_isSpare || !Spares.TryTake(out _begin))
        {
            _begin = AnonymousMemory.Map(_size);
            AnonymousMemory.Protect(_begin + (nint)_size - Page, Page, AnonymousMemory.NoAccess);
        }

        Address = (byte*)_begin + _size - Page - (nuint)bytes.Length;
        bytes.CopyTo(new Span<byte>(Address, bytes.Length));
    }

    public byte* Address { get; }

    /// <summary>At most once.</summary>
    public void Dispose()
    {
        if (_isSpare) Spares.Add(_begin);
        else AnonymousMemory.Unmap(_begin, _size);
    }
}
