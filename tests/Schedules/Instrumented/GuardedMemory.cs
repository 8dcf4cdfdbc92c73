namespace Varve.Tests.Shared.Disk;

/// <summary>
/// Stands for the class of this name of tests/Shared: a late reader faults there, and finds zeros here, so that the
/// scenario's oracle reports it.
/// </summary>
internal sealed unsafe class GuardedMemory : IDisposable
{
    public GuardedMemory(ReadOnlySpan<byte> bytes, bool mayReuse)
    {
        if (mayReuse) throw new NotSupportedException();
        Address = (byte*)NativeMemory.Alloc((nuint)bytes.Length);
        bytes.CopyTo(new Span<byte>(Address, bytes.Length));
    }

    public byte* Address { get; }

    public void Dispose() => NativeMemory.Free(Address);
}
