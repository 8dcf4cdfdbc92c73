using System.Buffers;
using System.Buffers.Binary;

namespace Varve.Format;

/// <summary>
/// A run of chunks in one file, as recorded logs are kept.
/// <code>
///  0  u32  length     little endian
///  4  that many bytes of chunk; then the next frame
/// </code>
/// </summary>
internal static class ChunkFrames
{
    public const int HeaderSize = sizeof(uint);

    /// <summary>
    /// Takes the next frame off the front of <paramref name="frames"/>. False at the clean end, without a fault in
    /// <paramref name="error"/>, and when the frame is cut off, with one; then nothing is taken.
    /// </summary>
    public static bool TryReadFrame(ref ReadOnlySpan<byte> frames, out ReadOnlySpan<byte> chunk, out DecodeError error)
    {
        chunk = default;
        error = default;
        if (frames.IsEmpty) return false;
        if (frames.Length < HeaderSize)
        {
            error = new DecodeError(0, "frame length", "is cut off");
            return false;
        }

        var length = BinaryPrimitives.ReadUInt32LittleEndian(frames);
        if (length > (uint)(frames.Length - HeaderSize))
        {
            error = new DecodeError(0, "frame", "runs past the file");
            return false;
        }

        chunk = frames.Slice(HeaderSize, (int)length);
        frames = frames[(HeaderSize + (int)length)..];
        return true;
    }

    /// <summary>The length of a frame's chunk, from the frame's header.</summary>
    public static uint ReadLength(ReadOnlySpan<byte> header) => BinaryPrimitives.ReadUInt32LittleEndian(header);

    public static void WriteFrame(IBufferWriter<byte> destination, ReadOnlySpan<byte> chunk)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(destination.GetSpan(HeaderSize), (uint)chunk.Length);
        destination.Advance(HeaderSize);
        destination.Write(chunk);
    }
}
