using System.Buffers.Binary;

namespace Varve.Format;

/// <summary>
/// Payload of a segment's first record: the end of the log before the segment.
/// <code>
///  0  u64  number of the segment before; 0: the log begins here, and the other fields are 0
///  8  u64  its end offset
/// 16  u64  its salt
/// </code>
/// </summary>
internal readonly record struct SegmentLink(ulong Segment, long End, ulong Salt)
{
    public const int Size = SaltField + sizeof(ulong);
    private const int EndField = sizeof(ulong);
    private const int SaltField = EndField + sizeof(long);

    public void Write(Span<byte> payload)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(payload, Segment);
        BinaryPrimitives.WriteInt64LittleEndian(payload[EndField..], End);
        BinaryPrimitives.WriteUInt64LittleEndian(payload[SaltField..], Salt);
    }

    public static SegmentLink Read(ReadOnlySpan<byte> payload) =>
        new(
            BinaryPrimitives.ReadUInt64LittleEndian(payload),
            BinaryPrimitives.ReadInt64LittleEndian(payload[EndField..]),
            BinaryPrimitives.ReadUInt64LittleEndian(payload[SaltField..]));
}
