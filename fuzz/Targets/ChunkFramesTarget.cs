using System.Buffers;
using Varve.Format;
using static Varve.Fuzz.Targets.Contract;

namespace Varve.Fuzz.Targets;

/// <summary>A file of framed chunks: accepted chunks, framed again, give the same bytes.</summary>
internal static class ChunkFramesTarget
{
    public static ulong Run(ReadOnlySpan<byte> input)
    {
        var rest = input;
        var again = new ArrayBufferWriter<byte>();
        var frames = 0;
        DecodeError error;
        while (ChunkFrames.TryReadFrame(ref rest, out var chunk, out error))
        {
            ChunkFrames.WriteFrame(again, chunk);
            frames++;
        }

        Holds(rest.IsEmpty == (!error.IsFault), "either the end or an error");
        Holds(input[..^rest.Length].SequenceEqual(again.WrittenSpan), "frames that are the bytes taken");
        return Feature.Join(Feature.Of(error), Feature.Bucket(frames));
    }

    public static IEnumerable<(string, byte[])> Seeds()
    {
        var file = new ArrayBufferWriter<byte>();
        foreach (var (_, chunk) in ChunkTarget.Seeds()) ChunkFrames.WriteFrame(file, chunk);
        ChunkFrames.WriteFrame(file, []);
        return [("two-chunks", file.WrittenSpan.ToArray())];
    }
}
