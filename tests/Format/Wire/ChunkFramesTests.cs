using System.Buffers;
using FsCheck.Xunit;
using Varve.Format;

namespace Varve.Tests.Format.Wire;

public class ChunkFramesTests
{
    [Property]
    public void FramesRoundTripInOrder(byte[][] chunks)
    {
        var buffer = new ArrayBufferWriter<byte>();
        foreach (var chunk in chunks) ChunkFrames.WriteFrame(buffer, chunk);
        var frames = buffer.WrittenSpan;
        foreach (var expected in chunks)
        {
            Assert.True(ChunkFrames.TryReadFrame(ref frames, out var chunk, out _));
            Assert.Equal(expected, chunk.ToArray());
        }

        Assert.False(ChunkFrames.TryReadFrame(ref frames, out _, out var error));
        Assert.False(error.IsFault);
    }

    [Fact]
    public void TruncatedFrameIsErrorAndReaderStays()
    {
        var buffer = new ArrayBufferWriter<byte>();
        ChunkFrames.WriteFrame(buffer, [1, 2, 3]);
        for (var length = 1; length < buffer.WrittenCount; length++)
        {
            var frames = buffer.WrittenSpan[..length];
            Assert.False(ChunkFrames.TryReadFrame(ref frames, out _, out var error));
            Assert.True(error.IsFault);
            Assert.Equal(length, frames.Length);
        }
    }

    [Fact]
    public void HugeLengthIsError()
    {
        ReadOnlySpan<byte> frames = [0xFF, 0xFF, 0xFF, 0xFF, 1];
        Assert.False(ChunkFrames.TryReadFrame(ref frames, out _, out var error));
        Assert.Equal("frame runs past the file", error.Reason);
    }
}
