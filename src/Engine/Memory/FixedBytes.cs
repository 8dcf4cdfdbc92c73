namespace Varve.Memory;

/// <summary>
/// Bytes in native memory that stay where they are while this is used; whoever hands it on sees to that. The default is
/// no bytes.
/// </summary>
internal readonly unsafe struct FixedBytes(byte* address, int length)
{
    private readonly byte* _address = address;

    public int Length { get; } = length;

    public ReadOnlySpan<byte> Span => new(_address, Length);
}
