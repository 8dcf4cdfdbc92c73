using System.Buffers;
using Varve.Format;
using static Varve.Fuzz.Targets.Contract;

namespace Varve.Fuzz.Targets;

/// <summary>
/// Chunks in Raft's encoding: every range is inside the chunk, and decoded entries encode to the same meaning.
/// </summary>
internal static class ChunkTarget
{
    public static ulong Run(ReadOnlySpan<byte> input)
    {
        var reader = new ChunkReader(input);
        var encoded = new ArrayBufferWriter<byte>();
        ulong kinds = 0;
        var count = 0;
        while (reader.TryRead(out var entry))
        {
            CheckRanges(entry, input);
            Encode(encoded, entry, input);
            CheckRead(encoded.WrittenSpan, entry, input);
            encoded.ResetWrittenCount();
            kinds |= 1UL << (int)entry.Kind;
            count++;
            Holds(count <= input.Length, "no more entries than bytes");
        }

        Holds(reader.AtEnd == (!reader.Error.IsFault), "either the end or an error");
        Holds(reader.Error.Offset >= 0 && reader.Error.Offset <= input.Length, "an error inside the chunk");
        Holds(
            !reader.TryRead(out var after) && after.Kind == CommandKind.Noop && after.KeyLength == 0,
            "nothing after the end");
        return Feature.Join(Feature.Of(reader.Error), kinds << 8 | Feature.Bucket(count));
    }

    public static IEnumerable<(string, byte[])> Seeds()
    {
        var chunk = new ArrayBufferWriter<byte>();
        WireWriter.WriteInsert(chunk, 1, 1, "apple"u8, "red"u8, ttlSeconds: 60, timestampMs: 1_700_000_000_000);
        yield return ("insert", chunk.WrittenSpan.ToArray());
        WireWriter.WriteNoop(chunk, 2, 1);
        WireWriter.WriteDelete(chunk, 3, 2, "pear"u8, 5);
        WireWriter.WriteCompareAndSwap(chunk, 4, 2, "k"u8, hasExpected: true, "old"u8, "new"u8);
        WireWriter.WriteCompareAndSwap(chunk, 5, 3, "k"u8, hasExpected: false, default, "new"u8);
        WireWriter.WriteCompareAndSwap(chunk, 6, 3, "k"u8, hasExpected: true, "new"u8, "leased"u8, ttlSeconds: 60);
        WireWriter.WriteInsert(chunk, ulong.MaxValue, 300, new byte[200], new byte[300]);
        WireWriter.Write(
            chunk, 7, 3, new WireCommand { Kind = CommandKind.CompareAndDelete, Key = "k"u8, Expected = "leased"u8 });
        WireWriter.Write(chunk, 8, 3, new WireCommand { Kind = CommandKind.Renew, Key = "k"u8, TtlSeconds = 60 });
        yield return ("all-kinds", chunk.WrittenSpan.ToArray());
    }

    private static void CheckRanges(in WireEntry entry, ReadOnlySpan<byte> chunk)
    {
        Holds(IsInside(entry.KeyOffset, entry.KeyLength, chunk), "a key inside the chunk");
        Holds(IsInside(entry.ValueOffset, entry.ValueLength, chunk), "a value inside the chunk");
        Holds(
            entry.ExpectedLength >= -1 && IsInside(entry.ExpectedOffset, Math.Max(0, entry.ExpectedLength), chunk),
            "an expected value inside the chunk");
        Holds(entry.Kind <= CommandKind.Renew, "a kind that exists");
        Holds(entry.Kind != CommandKind.Noop || entry.KeyLength == 0, "a no-op without a key");
        Holds(
            entry.Kind is CommandKind.Insert or CommandKind.CompareAndSwap || entry.ValueLength == 0,
            "a value only where something is set");
        Holds(
            entry.Kind is CommandKind.CompareAndSwap
                || (entry.Kind == CommandKind.CompareAndDelete) == (entry.ExpectedLength >= 0),
            "an expected value only where it is compared");
        Holds(
            entry.Kind is CommandKind.Insert or CommandKind.CompareAndSwap or CommandKind.Renew
                || entry.TtlSeconds == 0,
            "a time to live only for what sets a value or a lease");
    }

    private static bool IsInside(int offset, int length, ReadOnlySpan<byte> chunk) =>
        offset >= 0 && length >= 0 && (long)offset + length <= chunk.Length;

    private static void Encode(ArrayBufferWriter<byte> target, in WireEntry entry, ReadOnlySpan<byte> chunk)
    {
        var (index, term, time) = (entry.Index, entry.Term, entry.TimestampMs);
        WireWriter.Write(
            target, index, term,
            new WireCommand
            {
                Kind = entry.Kind,
                Key = entry.KeyIn(chunk),
                Value = entry.ValueIn(chunk),
                HasExpected = entry.ExpectedLength >= 0,
                Expected = entry.ExpectedIn(chunk),
                TtlSeconds = entry.TtlSeconds,
            },
            time);
    }

    private static void CheckRead(ReadOnlySpan<byte> encoded, in WireEntry entry, ReadOnlySpan<byte> chunk)
    {
        var reader = new ChunkReader(encoded);
        Holds(reader.TryRead(out var again) && reader.AtEnd, "an entry that is read when encoded again");
        var sameNumbers =
            (again.Index, again.Term, again.TimestampMs, again.TtlSeconds, again.Kind, again.ExpectedLength)
                == (entry.Index, entry.Term, entry.TimestampMs, entry.TtlSeconds, entry.Kind, entry.ExpectedLength);
        Holds(sameNumbers, "the same numbers when encoded again");
        var sameBytes = again.KeyIn(encoded).SequenceEqual(entry.KeyIn(chunk))
            && again.ValueIn(encoded).SequenceEqual(entry.ValueIn(chunk))
            && again.ExpectedIn(encoded).SequenceEqual(entry.ExpectedIn(chunk));
        Holds(sameBytes, "the same bytes when encoded again");
    }
}
