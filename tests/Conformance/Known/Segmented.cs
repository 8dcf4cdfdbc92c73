using System.Buffers;

namespace Varve.Tests.Conformance.Known;

/// <summary>Cuts bytes into a sequence of small segments, as a socket or a pipe delivers them.</summary>
internal sealed class Segmented : ReadOnlySequenceSegment<byte>
{
    public static ReadOnlySequence<byte> Of(ReadOnlyMemory<byte> bytes, Func<int> nextLength)
    {
        var first = new Segmented { Memory = ReadOnlyMemory<byte>.Empty };
        var last = first;
        for (var at = 0; at < bytes.Length;)
        {
            var length = Math.Min(nextLength(), bytes.Length - at);
            var next = new Segmented { Memory = bytes.Slice(at, length).ToArray(), RunningIndex = at };
            (last.Next, last) = (next, next);
            at += length;
        }
        return new ReadOnlySequence<byte>(first, 0, last, last.Memory.Length);
    }
}
