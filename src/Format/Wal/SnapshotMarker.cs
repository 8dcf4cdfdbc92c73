using System.Buffers.Binary;

namespace Varve.Format;

/// <summary>
/// Payload of the record that names the last snapshot.
/// <code>
///  0  u64     index of its last entry
///  8  u64     that entry's term
/// 16  u8[32]  SHA-256 of its manifest
/// </code>
/// </summary>
internal readonly ref struct SnapshotMarker(ulong index, ulong term, ReadOnlySpan<byte> checksum)
{
    public const int Size = ChecksumField + MachineStateCodec.ChecksumSize;
    private const int TermField = sizeof(ulong);
    private const int ChecksumField = TermField + sizeof(ulong);

    public ulong Index { get; } = index;

    public ulong Term { get; } = term;

    public ReadOnlySpan<byte> Checksum { get; } = checksum;

    public void Write(Span<byte> payload)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(payload, Index);
        BinaryPrimitives.WriteUInt64LittleEndian(payload[TermField..], Term);
        Checksum.CopyTo(payload[ChecksumField..]);
    }

    public static SnapshotMarker Read(ReadOnlySpan<byte> payload) =>
        new(
            BinaryPrimitives.ReadUInt64LittleEndian(payload),
            BinaryPrimitives.ReadUInt64LittleEndian(payload[TermField..]), payload[ChecksumField..Size]);
}
