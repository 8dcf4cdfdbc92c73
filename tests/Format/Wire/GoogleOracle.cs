using Google.Protobuf;
using Raftlog;
using Varve.Format;

namespace Varve.Tests.Format.Wire;

/// <summary>The meaning of an entry, with copied bytes, from either decoder.</summary>
internal sealed record Meaning(
    ulong Index, ulong Term, ulong TimestampMs, CommandKind Kind, string Key, string Value, string? Expected,
    ulong TtlSeconds)
{
    public static Meaning Of(in WireEntry entry, ReadOnlySpan<byte> chunk) => new(
        entry.Index,
        entry.Term,
        entry.TimestampMs,
        entry.Kind,
        Convert.ToHexString(entry.KeyIn(chunk)),
        Convert.ToHexString(entry.ValueIn(chunk)),
        entry.ExpectedLength < 0 ? null : Convert.ToHexString(entry.ExpectedIn(chunk)),
        entry.TtlSeconds);
}

/// <summary>
/// Decodes chunks with Google's parser and this project's two rules: a payload, and in a command an operation.
/// </summary>
internal static class GoogleOracle
{
    /// <summary>The entries, or null if the chunk must be rejected.</summary>
    public static List<Meaning>? Decode(ReadOnlySpan<byte> chunk)
    {
        var meanings = new List<Meaning>();
        while (!chunk.IsEmpty)
        {
            if (!TryReadLength(ref chunk, out var length) || (uint)length > (uint)chunk.Length) return null;
            try
            {
                if (MeaningOf(Entry.Parser.ParseFrom(chunk[..length])) is not { } meaning) return null;
                meanings.Add(meaning);
            }
            catch (InvalidProtocolBufferException)
            {
                return null;
            }

            chunk = chunk[length..];
        }

        return meanings;
    }

    /// <summary>Decodes with ours, to the end.</summary>
    public static List<Meaning>? DecodeOurs(ReadOnlySpan<byte> chunk)
    {
        var meanings = new List<Meaning>();
        var reader = new ChunkReader(chunk);
        while (reader.TryRead(out var entry)) meanings.Add(Meaning.Of(entry, chunk));
        Assert.Equal(!reader.Error.IsFault, reader.AtEnd);
        return reader.AtEnd ? meanings : null;
    }

    /// <summary>Both ways; fails unless they agree on acceptance and on every field.</summary>
    public static List<Meaning>? AssertSame(ReadOnlySpan<byte> chunk)
    {
        var theirs = Decode(chunk);
        var ours = DecodeOurs(chunk);
        if (theirs is null != ours is null || (theirs is not null && !theirs.SequenceEqual(ours!)))
        {
            Assert.Fail($"Google {Describe(theirs)}, we {Describe(ours)}: {Convert.ToHexString(chunk)}");
        }

        return theirs;
    }

    private static string Describe(List<Meaning>? meanings) =>
        meanings is null ? "rejects" : $"reads [{string.Join(", ", meanings)}]";

    private static bool TryReadLength(ref ReadOnlySpan<byte> chunk, out int length)
    {
        length = 0;
        try
        {
            var input = new CodedInputStream(chunk[..Math.Min(chunk.Length, 16)].ToArray());
            length = input.ReadLength();
            chunk = chunk[(int)input.Position..];
            return true;
        }
        catch (InvalidProtocolBufferException)
        {
            return false;
        }
    }

    private static Meaning? MeaningOf(Entry entry)
    {
        if (entry.Payload is null || entry.Payload.PayloadCase == EntryPayload.PayloadOneofCase.None) return null;
        var bare = new Meaning(entry.Index, entry.Term, entry.TimestampMs, CommandKind.Noop, "", "", null, 0);
        if (entry.Payload.PayloadCase != EntryPayload.PayloadOneofCase.Command) return bare;
        var command = WriteCommand.Parser.ParseFrom(entry.Payload.Command);
        return command.OperationCase switch
        {
            WriteCommand.OperationOneofCase.Insert => bare with
            {
                Kind = CommandKind.Insert,
                Key = Hex(command.Insert.Key),
                Value = Hex(command.Insert.Value),
                TtlSeconds = command.Insert.TtlSecs,
            },
            WriteCommand.OperationOneofCase.Delete =>
                bare with { Kind = CommandKind.Delete, Key = Hex(command.Delete.Key) },
            WriteCommand.OperationOneofCase.CompareAndSwap => bare with
            {
                Kind = CommandKind.CompareAndSwap,
                Key = Hex(command.CompareAndSwap.Key),
                Value = Hex(command.CompareAndSwap.NewValue),
                Expected = command.CompareAndSwap.HasExpectedValue ? Hex(command.CompareAndSwap.ExpectedValue) : null,
                TtlSeconds = command.CompareAndSwap.TtlSecs,
            },
            WriteCommand.OperationOneofCase.CompareAndDelete => bare with
            {
                Kind = CommandKind.CompareAndDelete,
                Key = Hex(command.CompareAndDelete.Key),
                Expected = Hex(command.CompareAndDelete.ExpectedValue),
            },
            WriteCommand.OperationOneofCase.Renew => bare with
            {
                Kind = CommandKind.Renew,
                Key = Hex(command.Renew.Key),
                TtlSeconds = command.Renew.TtlSecs,
            },
            _ => null,
        };
    }

    private static string Hex(ByteString bytes) => Convert.ToHexString(bytes.Span);
}
