using System.Buffers;
using FsCheck;
using FsCheck.Fluent;
using Google.Protobuf;
using Raftlog;
using Varve.Format;

namespace Varve.Tests.Format.Wire;

public enum EntryKind
{
    Noop,
    Insert,
    Delete,
    CompareAndSwap,
    CompareAndDelete,
    Renew,
    AddNode,
    RemoveNode,
}

/// <summary>An entry as FsCheck draws it, encoded by Google's classes or by ours.</summary>
public sealed record EntryShape(
    EntryKind Kind, ulong Index, ulong Term, ulong TimestampMs, byte[] Key, byte[] Value, bool HasExpected,
    byte[] Expected, ulong TtlSeconds)
{
    /// <summary>Entries as a chunk, by Google's encoder.</summary>
    public static byte[] EncodeByGoogle(IEnumerable<EntryShape> shapes)
    {
        using var stream = new MemoryStream();
        foreach (var shape in shapes) shape.ToGoogle().WriteDelimitedTo(stream);
        return stream.ToArray();
    }

    /// <summary>By ours; null for a membership change, which ours does not write.</summary>
    public byte[]? EncodeByOurs()
    {
        var buffer = new ArrayBufferWriter<byte>();
        switch (Kind)
        {
            case EntryKind.Noop: WireWriter.WriteNoop(buffer, Index, Term, TimestampMs); break;
            case EntryKind.Insert:
                WireWriter.WriteInsert(buffer, Index, Term, Key, Value, TtlSeconds, TimestampMs); break;
            case EntryKind.Delete: WireWriter.WriteDelete(buffer, Index, Term, Key, TimestampMs); break;
            case EntryKind.CompareAndSwap:
                WireWriter.WriteCompareAndSwap(
                    buffer, Index, Term, Key, HasExpected, Expected, Value, TimestampMs, TtlSeconds); break;
            case EntryKind.CompareAndDelete or EntryKind.Renew:
                WireWriter.Write(
                    buffer, Index, Term,
                    new WireCommand
                    {
                        Kind = Kind == EntryKind.Renew ? CommandKind.Renew : CommandKind.CompareAndDelete,
                        Key = Key,
                        Expected = Expected,
                        TtlSeconds = TtlSeconds,
                    },
                    TimestampMs);
                break;
            default: return null;
        }

        return buffer.WrittenSpan.ToArray();
    }

    private Entry ToGoogle() => new() { Index = Index, Term = Term, TimestampMs = TimestampMs, Payload = ToPayload() };

    private EntryPayload ToPayload()
    {
        var key = ByteString.CopyFrom(Key);
        var value = ByteString.CopyFrom(Value);
        switch (Kind)
        {
            case EntryKind.Noop: return new EntryPayload { Noop = new Noop() };
            case EntryKind.AddNode:
                var node = new AddNode { NodeId = (uint)Term, Address = Convert.ToBase64String(Key) };
                return new EntryPayload { Config = new MembershipChange { AddNode = node } };
            case EntryKind.RemoveNode:
                return new EntryPayload
                {
                    Config = new MembershipChange { RemoveNode = new RemoveNode { NodeId = (uint)Term } }
                };
        }

        var command = new WriteCommand();
        if (Kind == EntryKind.Insert)
            command.Insert = new WriteCommand.Types.Insert { Key = key, Value = value, TtlSecs = TtlSeconds };
        else if (Kind == EntryKind.Delete) command.Delete = new WriteCommand.Types.Delete { Key = key };
        else if (Kind == EntryKind.Renew)
            command.Renew = new WriteCommand.Types.Renew { Key = key, TtlSecs = TtlSeconds };
        else if (Kind == EntryKind.CompareAndDelete)
            command.CompareAndDelete = new WriteCommand.Types.CompareAndDelete
            {
                Key = key,
                ExpectedValue = ByteString.CopyFrom(Expected),
            };
        else
        {
            command.CompareAndSwap =
                new WriteCommand.Types.CompareAndSwap { Key = key, NewValue = value, TtlSecs = TtlSeconds };
            if (HasExpected) command.CompareAndSwap.ExpectedValue = ByteString.CopyFrom(Expected);
        }

        return new EntryPayload { Command = command.ToByteString() };
    }
}

/// <summary>Draws entries for FsCheck: numbers of every width, bytes of every length class.</summary>
public static class EntryShapes
{
    public static Arbitrary<EntryShape> Shape() => (
        from kind in Gen.Elements(Enum.GetValues<EntryKind>())
        from numbers in Number.ArrayOf(4)
        from key in Bytes
        from value in Bytes
        from expected in Bytes
        from hasExpected in Gen.Elements(true, false)
        select new EntryShape(kind, numbers[0], numbers[1], numbers[2], key, value, hasExpected, expected, numbers[3]))
            .ToArbitrary();

    private static Gen<ulong> Number =>
        from width in Gen.Choose(0, 64)
        from high in Gen.Choose(0, int.MaxValue)
        from low in Gen.Choose(0, int.MaxValue)
        select width == 0
            ? 0
            : (((ulong)high << 33) ^ ((ulong)low << 8) ^ (ulong)low) >> (64 - width) | (1UL << (width - 1));

    private static Gen<byte[]> Bytes =>
        from length in Gen.Frequency(
            (1, Gen.Constant(0)), (4, Gen.Choose(1, 20)), (2, Gen.Choose(120, 300)), (1, Gen.Choose(16_380, 16_390)))
        from seed in Gen.Choose(0, int.MaxValue)
        select RandomBytes(length, seed);

    private static byte[] RandomBytes(int length, int seed)
    {
        var bytes = new byte[length];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }
}
