using System.Buffers.Binary;

namespace Varve.Format;

/// <summary>
/// Payload of a lease clean-up's record: u64 latest deadline of the leases that it reported, in Unix milliseconds.
/// </summary>
internal readonly record struct CleanUpMarker(ulong Deadline)
{
    public const int Size = sizeof(ulong);

    public void Write(Span<byte> payload) => BinaryPrimitives.WriteUInt64LittleEndian(payload, Deadline);

    public static CleanUpMarker Read(ReadOnlySpan<byte> payload) =>
        new(BinaryPrimitives.ReadUInt64LittleEndian(payload));
}
