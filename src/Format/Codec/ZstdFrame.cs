using System.Buffers.Binary;

namespace Varve.Format;

/// <summary>
/// The outline of a zstd frame (RFC 8878), read without decompressing: how long it is, and how much it says it holds.
/// So bytes after the frame, and a size over a cap, are seen before anything is allocated.
/// <code>
///  0  u32  magic 0xFD2FB528
///  4  u8   bits 7-6: size of the content size; 5: single segment; 3: reserved; 2: checksum; 1-0: size of dictionary id
///     window descriptor, unless a single segment; dictionary id; content size
///     blocks: u24: bit 0: last; bits 2-1: raw, run, compressed, reserved; the rest: size
///     u32 checksum, if announced
/// </code>
/// </summary>
internal static class ZstdFrame
{
    private const uint Magic = 0xFD2F_B528;
    private const int BlockHeaderSize = 3;
    private const int RunBlock = 1;
    private const int ReservedBlock = 3;

    /// <summary>
    /// Measures the frame at the start of <paramref name="source"/>; one with a dictionary, or that hides its content's
    /// size, is an error.
    /// </summary>
    public static bool TryMeasure(
        ReadOnlySpan<byte> source, out int frameLength, out ulong contentLength, out DecodeError error)
    {
        frameLength = 0;
        contentLength = 0;
        var reader = new FieldReader(source);
        if (reader.U32("zstd magic") != Magic) reader.Fail(0, "zstd magic", "is missing");
        var descriptor = reader.U8("zstd frame descriptor");
        if ((descriptor & 0b1011) != 0) reader.Fail(4, "zstd frame", "has a dictionary or reserved bits");
        var singleSegment = (descriptor & 0x20) != 0;
        if (!singleSegment) reader.U8("zstd window");
        contentLength = (descriptor >> 6) switch
        {
            0 when singleSegment => reader.U8("zstd content size"),
            1 => reader.U16("zstd content size") + 256UL,
            2 => reader.U32("zstd content size"),
            3 => reader.U64("zstd content size"),
            _ => Missing(ref reader),
        };
        SkipBlocks(ref reader);
        if ((descriptor & 4) != 0) reader.U32("zstd checksum");
        frameLength = reader.Position;
        error = reader.Error;
        return !reader.Failed;
    }

    private static ulong Missing(ref FieldReader reader)
    {
        reader.Fail(4, "zstd frame", "does not name its content's size");
        return 0;
    }

    private static void SkipBlocks(ref FieldReader reader)
    {
        Span<byte> header = stackalloc byte[sizeof(uint)];
        header.Clear();
        while (!reader.Failed)
        {
            var at = reader.Position;
            reader.Take(BlockHeaderSize, "zstd block").CopyTo(header);
            var block = BinaryPrimitives.ReadUInt32LittleEndian(header);
            var type = (block >> 1) & 3;
            if (type == ReservedBlock) reader.Fail(at, "zstd block type", "is unknown");
            reader.Take(type == RunBlock ? 1 : (int)(block >> 3), "zstd block");
            if ((block & 1) != 0) return;
        }
    }
}
