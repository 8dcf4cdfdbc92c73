namespace Varve.Memory;

/// <summary>
/// Bytes of native memory that neither move nor go while this value is used: the caller that passes it on keeps them.
/// The default value is no bytes.
/// </summary>
internal readonly struct FixedBytes
{
    // SAFETY: these members show the bytes that the constructor's caller keeps for as long as it passes this on.
    private readonly unsafe byte* _address;

    public unsafe FixedBytes(byte* address, int length)
    {
        _address = address;
        Length = length;
    }

    public unsafe ReadOnlySpan<byte> Span => new(_address, Length);

    public int Length { get; }
}
