using System.Text.RegularExpressions;
using Varve.Tests.Conformance.Known;

namespace Varve.Tests.Conformance.Surface;

/// <summary>Any bytes offered as a chunk are applied whole or refused whole.</summary>
public sealed partial class WireTests : MachineTest<EngineMachines>
{
    private readonly ApplyResult[] _results = new ApplyResult[16];

    private LsmStateMachine Engine => (LsmStateMachine)Machine;

    private static ApplyEntry[] Three() => [Put(1, "a", "1", ttl: 300), Swap(2, "a", "1", "", time: 5), Delete(3, "b")];

    [GeneratedRegex(@"\d")]
    private static partial Regex Digit();

    private void Refused(byte[] wire)
    {
        var failure = Xunit.Record.Exception(() => Engine.ApplyChunk(wire.AsSpan(), _results));
        Assert.True(
            failure is ArgumentException,
            $"{Convert.ToHexString(wire)}: {failure?.GetType().ToString() ?? "accepted"}");
        Assert.Matches(Digit(), failure!.Message);
        Assert.Throws(failure.GetType(), () => { Engine.ApplyChunk(Segmented.Of(wire, () => 1), _results); });
        Assert.Equal(default, Engine.LastApplied);
        Assert.Equal("", Scan());
    }

    [Fact]
    public void ChunkTruncatedInsideEntryIsRefused()
    {
        var wire = WireChunk.Encode(Three());
        var boundaries = Enumerable.Range(0, 4).Select(i => WireChunk.Encode(Three()[..i]).Length).ToHashSet();
        for (var length = 1; length < wire.Length; length++)
        {
            if (!boundaries.Contains(length)) Refused(wire[..length]);
        }
        Assert.Equal(3, Engine.ApplyChunk(wire.AsSpan(), _results));
        Assert.Equal("a=", Scan());
    }

    [Fact]
    public void TrailingByteIsRefused()
    {
        Refused([.. WireChunk.Encode(Three()), 0x01]);
        Refused([.. WireChunk.Encode(Three()), 0x80]);
    }

    [Theory]
    [InlineData("0408011001", "no payload")]
    [InlineData("06080110011A00", "an empty payload")]
    [InlineData("08080110011A021200", "a command without an operation")]
    [InlineData("0A080110011A0412020A00", "an insert without a key")]
    [InlineData("08080110011A020A05", "a field longer than its message")]
    [InlineData("FFFFFFFFFFFFFFFFFFFF01", "a length of eleven bytes")]
    [InlineData("FFFFFFFFFFFFFFFF7F", "a length of 2^63")]
    [InlineData("100880808080808080808080011A020A00", "an index of eleven bytes")]
    [InlineData("08080110011A020B0C", "a group")]
    [InlineData("020A", "a tag without its field")]
    public void MalformedEntryIsRefused(string hex, string what)
    {
        Assert.NotEmpty(what);
        Refused(Convert.FromHexString(hex));
    }

    [Fact]
    public void UnknownFieldsAreSkipped()
    {
        // Entry { index 1, term 1, payload { noop }, 9: "x", 10: 5, 11: fixed32, 12: fixed64 }
        Assert.Equal(1, Engine.ApplyChunk(Convert.FromHexString("1B" + "08011001" + "1A020A00" + "4A0178" + "5005"
            + "5D01020304" + "610102030405060708").AsSpan(), _results));
        Assert.Equal(new LogId(1, 1), Engine.LastApplied);
    }

    [Fact]
    public void ConfigurationEntryAdvancesIndexAndNothingElse()
    {
        // Entry { index 1, term 2, payload { config { add_node { node_id 3, address "n" } } }, timestamp 7 }
        Assert.Equal(1, Engine.ApplyChunk(
            Convert.FromHexString("11" + "08011002" + "1A09" + "1A07" + "0A05" + "0803" + "12016E" + "7807").AsSpan(),
            _results));
        Assert.Equal(new LogId(1, 2), Engine.LastApplied);
        Assert.Equal(new ApplyResult(1, true), _results[0]);
        Assert.Equal(0, Engine.Count);
    }

    [Fact]
    public void TooSmallResultBufferIsRefused()
    {
        var wire = WireChunk.Encode(Three());
        Assert.ThrowsAny<ArgumentException>(() => Engine.ApplyChunk(wire.AsSpan(), new ApplyResult[2]));
        Assert.ThrowsAny<ArgumentException>(() => Engine.ApplyChunk(Segmented.Of(wire, () => 5), new ApplyResult[2]));
        Assert.ThrowsAny<ArgumentException>(() => Engine.ApplyChunk(Three(), new ApplyResult[2]));
        Assert.Equal(default, Engine.LastApplied);
        Assert.Equal(3, Engine.ApplyChunk(wire.AsSpan(), new ApplyResult[3]));
    }

    [Fact]
    public void EmptyChunkIsAccepted()
    {
        Assert.Equal(0, Engine.ApplyChunk(ReadOnlySpan<byte>.Empty, _results));
        Assert.Equal(0, Engine.ApplyChunk(System.Buffers.ReadOnlySequence<byte>.Empty, []));
        Assert.Equal(default, Engine.LastApplied);
    }

    [Fact]
    public async Task RandomDamageNeverBreaksEngine()
    {
        var random = new Random(3);
        var good = WireChunk.Encode(Three());
        for (var i = 0; i < 2_000; i++)
        {
            var bad = (byte[])good.Clone();
            for (var flips = random.Next(1, 4); flips > 0; flips--)
                bad[random.Next(bad.Length)] = (byte)random.Next(256);
            var before = Engine.LastApplied;
            var failure = Xunit.Record.Exception(() => Engine.ApplyChunk(bad.AsSpan(), _results));
            Assert.True(
                failure is null or ArgumentException or LogGapException or DuplicateEntryException,
                $"{Convert.ToHexString(bad)}: {failure}");
            if (failure is not null) Assert.Equal(before, Engine.LastApplied);
            if (Engine.LastApplied.Index > 3) await Engine.ResetAsync();
        }
    }
}
