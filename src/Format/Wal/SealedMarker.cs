using System.Buffers.Binary;

namespace Varve.Format;

/// <summary>Payload of a segment's last record: u64 number of the segment in which the log continues.</summary>
internal readonly record struct SealedMarker(ulong NextSegment)
{
    public const int Size = sizeof(ulong);

    public void Write(Span<byte> payload) => BinaryPrimitives.WriteUInt64LittleEndian(payload, NextSegment);

    public static SealedMarker Read(ReadOnlySpan<byte> payload) =>
        new(BinaryPrimitives.ReadUInt64LittleEndian(payload));
}
