using Varve.Storage;
using Xunit;

namespace Varve.Tests.Engine.Storage;

/// <summary>Reserved memory costs address space alone, and returns to the system at once.</summary>
public sealed unsafe class ReservedMemoryTests
{
    private const long Bytes = 64 << 10; // so few that the C library's heap would have them at hand
    private const int Page = 4096;
    private const int Reservations = 4; // one of the heap may begin at a page by chance

    /// <summary>
    /// Not memory of the heap, which would have been somebody else's before, and zeroed by touching it.
    /// </summary>
    [Fact]
    public void ReservationIsOwnMappingWithoutPages()
    {
        if (!OperatingSystem.IsLinux()) return;
        var reserved = Enumerable.Range(0, Reservations).Select(_ => ReservedMemory.Reserve(Bytes)).ToArray();
        foreach (var memory in reserved)
        {
            Assert.Equal(0, (nint)memory.Address % Page);
            Assert.Equal(0, ResidentPages(memory.Address));
            memory.Address[5 * Page] = 1;
            Assert.Equal(1, ResidentPages(memory.Address));
            Assert.True(new ReadOnlySpan<byte>(memory.Address + (6 * Page), (int)Bytes - (6 * Page))
                .IndexOfAnyExcept((byte)0) < 0);
        }

        foreach (var memory in reserved) memory.Dispose();
    }

    [Fact]
    public void MemoryIsUnmappedOnce()
    {
        var memory = ReservedMemory.Reserve(Bytes);
        memory.Dispose();
        Assert.True(memory.Address == null);
        memory.Dispose();
    }

    private static int ResidentPages(byte* address)
    {
        Span<byte> resident = stackalloc byte[(int)Bytes / Page];
        fixed (byte* pages = resident) Assert.Equal(0, Libc.InCore(address, (nuint)Bytes, pages));
        return resident.Length - resident.Count((byte)0);
    }
}
