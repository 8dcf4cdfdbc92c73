using System.Buffers.Binary;

namespace Varve.Format;

/// <summary>
/// Payload of the record that moves the mark of an outer log without entries.
/// <code>
///  0  u64     length, 0 .. 64
///  8  u8[64]  the mark, zeros behind it
/// </code>
/// </summary>
internal static class MarkMarker
{
    public const int Size = BytesField + LogMark.LengthMax;
    private const int BytesField = sizeof(ulong);

    public static void Write(in LogMark mark, Span<byte> payload)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(payload, (ulong)mark.Length);
        var bytes = payload[BytesField..Size];
        bytes.Clear();
        mark.Bytes.CopyTo(bytes);
    }

    public static bool TryRead(ReadOnlySpan<byte> payload, out LogMark mark, out DecodeError error)
    {
        mark = default;
        var length = BinaryPrimitives.ReadUInt64LittleEndian(payload);
        if (length > LogMark.LengthMax)
        {
            error = new DecodeError(WalRecordHeader.Size, "mark", "is longer than 64 bytes");
            return false;
        }

        if (payload[(BytesField + (int)length)..Size].ContainsAnyExcept((byte)0))
        {
            error = new DecodeError(WalRecordHeader.Size + BytesField, "padding", "is not zero");
            return false;
        }

        error = default;
        mark = new LogMark(payload.Slice(BytesField, (int)length));
        return true;
    }
}
