using System.Buffers;
using Varve.Format;

namespace Varve.Tests.Format.Wire;

/// <summary>The decoder's rules one by one, each held against Google's parser as well.</summary>
public class ChunkReaderRules
{
    private static readonly byte[] SomeCommand = [0x12, 0x07, 0x0A, 0x05, 0x0A, 0x03, 1, 2, 3];

    [Fact]
    public void EmptyChunkHasNoEntries() => Assert.Empty(GoogleOracle.AssertSame([])!);

    [Fact]
    public void EntryWithoutPayloadIsRejected() => Rejected("entry has no payload", [0x08, 1, 0x10, 1]);

    [Fact]
    public void PayloadWithoutMemberIsRejected() => Rejected("entry has no payload", [0x08, 1, 0x1A, 0]);

    [Fact]
    public void CommandWithoutOperationIsRejected() =>
        Rejected("command has no operation", [0x08, 1, 0x1A, 2, 0x12, 0]);

    [Fact]
    public void CommandOfBadBytesIsRejected() =>
        Rejected("protobuf wire type is unknown", [0x08, 1, 0x1A, 3, 0x12, 1, 0x0F]);

    [Fact]
    public void ReplacedBadCommandBytesAreIgnored() =>
        Assert.Equal(CommandKind.Noop, Accepted([0x1A, 3, 0x12, 1, 0x0F, 0x1A, 2, 0x0A, 0]).Kind);

    [Fact]
    public void TagZeroIsRejected() => Rejected("protobuf tag has field number 0", [0x1A, 2, 0x0A, 0, 0x00]);

    [Fact]
    public void EndGroupWithoutStartIsRejected() =>
        Rejected("protobuf group ends without a start", [0x1A, 2, 0x0A, 0, 0x0C]);

    [Fact]
    public void TrailingByteRejectsChunk()
    {
        byte[] chunk = [.. Delimited([0x1A, 2, 0x0A, 0]), 0x80];
        Assert.Null(GoogleOracle.AssertSame(chunk));
    }

    [Fact]
    public void LengthPastChunkIsRejected() => Assert.Null(GoogleOracle.AssertSame([0x05, 0x1A, 2, 0x0A, 0]));

    [Fact]
    public void NegativeLengthIsRejected() => Assert.Null(GoogleOracle.AssertSame([0xFF, 0xFF, 0xFF, 0xFF, 0x0F, 0]));

    [Fact]
    public void LengthsDropBitsPastThe32nd() =>
        Assert.Single(GoogleOracle.AssertSame([0x84, 0x80, 0x80, 0x80, 0x10, 0x1A, 2, 0x0A, 0])!);

    [Fact]
    public void ConfigIsNoop() => Assert.Equal(CommandKind.Noop, Accepted([0x1A, 6, 0x1A, 4, 0x0A, 2, 0x08, 7]).Kind);

    [Fact]
    public void ConfigWithAddressThatIsNotUtf8IsRejected() =>
        Rejected("string is not valid UTF-8", [0x1A, 7, 0x1A, 5, 0x0A, 3, 0x12, 1, 0xFF]);

    [Fact]
    public void MalformedConfigIsRejected() =>
        Rejected("protobuf field runs past its message", [0x1A, 6, 0x1A, 4, 0x0A, 9, 0x08, 7]);

    [Fact]
    public void MalformedNoopIsRejected() =>
        Rejected("protobuf varint is cut off or longer than ten bytes", [0x1A, 3, 0x0A, 1, 0x08]);

    [Fact]
    public void KnownFieldOfOtherWireTypeIsUnknown()
    {
        // Index as a fixed64, then as a varint: only the second is the index.
        var meaning = Accepted([0x09, 1, 2, 3, 4, 5, 6, 7, 8, 0x08, 5, 0x1A, 9, .. SomeCommand]);
        Assert.Equal(5UL, meaning.Index);
        Assert.Equal("010203", meaning.Key);
    }

    [Fact]
    public void LastOfRepeatedNumbersCounts() =>
        Assert.Equal(2UL, Accepted([0x08, 1, 0x08, 2, 0x1A, 2, 0x0A, 0]).Index);

    [Fact]
    public void PayloadsThatAppearTwiceMerge() =>
        Assert.Equal("010203", Accepted([0x1A, 9, .. SomeCommand, 0x1A, 0]).Key);

    [Fact]
    public void OperationsOfOneKindMerge()
    {
        // insert { key }, insert { value }: one insert with both.
        var meaning = Accepted([0x1A, 12, 0x12, 10, 0x0A, 3, 0x0A, 1, 7, 0x0A, 3, 0x12, 1, 8]);
        Assert.Equal(("07", "08"), (meaning.Key, meaning.Value));
    }

    [Fact]
    public void LaterOperationReplacesEarlier()
    {
        // insert { key }, delete {}, insert { value }: an insert without key.
        var meaning = Accepted([0x1A, 14, 0x12, 12, 0x0A, 3, 0x0A, 1, 7, 0x12, 0, 0x0A, 3, 0x12, 1, 8]);
        Assert.Equal(("", "08"), (meaning.Key, meaning.Value));
    }

    [Fact]
    public void EmptyExpectedValueIsNotAbsence()
    {
        Assert.Equal("", Accepted([0x1A, 9, 0x12, 7, 0x1A, 5, 0x0A, 1, 7, 0x12, 0]).Expected);
        Assert.Null(Accepted([0x1A, 7, 0x12, 5, 0x1A, 3, 0x0A, 1, 7]).Expected);
    }

    [Theory]
    [InlineData(99)]
    [InlineData(100)]
    [InlineData(101)]
    [InlineData(5_000)]
    public void GroupsNestAsDeepAsInGoogle(int depth)
    {
        byte[] groups = [.. Enumerable.Repeat((byte)0x2B, depth), .. Enumerable.Repeat((byte)0x2C, depth)];
        Assert.Equal(depth <= 100, GoogleOracle.AssertSame(Delimited([0x1A, 2, 0x0A, 0, .. groups])) is not null);
        byte[] payload = [0x0A, 0, .. groups];
        Assert.Equal(depth <= 99, GoogleOracle.AssertSame(Delimited([0x1A, .. Delimited(payload)])) is not null);
    }

    [Fact]
    public void NothingIsReadAfterError()
    {
        byte[] chunk = [.. Delimited([0x00]), .. Delimited([0x1A, 2, 0x0A, 0])];
        var reader = new ChunkReader(chunk);
        Assert.False(reader.TryRead(out _));
        Assert.False(reader.TryRead(out _));
        Assert.False(reader.AtEnd);
        Assert.Equal("protobuf tag has field number 0", reader.Error.Reason);
    }

    [Fact]
    public void ErrorCarriesOffset()
    {
        var buffer = new ArrayBufferWriter<byte>();
        WireWriter.WriteNoop(buffer, 1, 1);
        var good = buffer.WrittenCount;
        var reader = new ChunkReader([.. buffer.WrittenSpan, 2, 0x08, 0x80]);
        Assert.True(reader.TryRead(out _));
        Assert.False(reader.TryRead(out _));
        Assert.Equal(good + 2, reader.Error.Offset);
    }

    private static byte[] Delimited(byte[] message)
    {
        var prefix = new byte[WireVarint.SizeMax];
        return [.. prefix.AsSpan(0, WireVarint.Write(prefix, (uint)message.Length)), .. message];
    }

    private static Meaning Accepted(byte[] entry) => Assert.Single(GoogleOracle.AssertSame(Delimited(entry))!);

    private static void Rejected(string reason, byte[] entry)
    {
        var chunk = Delimited(entry);
        Assert.Null(GoogleOracle.AssertSame(chunk));
        var reader = new ChunkReader(chunk);
        Assert.False(reader.TryRead(out _));
        Assert.Equal(reason, reader.Error.Reason);
    }
}
