using System.Buffers;
using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;

namespace Varve.Tests.Conformance.Surface;

/// <summary>A command's wire form parses to the command, and any bytes parse or are refused.</summary>
[Properties(Arbitrary = [typeof(CommandCodecTests)], MaxTest = 1_000)]
public class CommandCodecTests
{
    public static Arbitrary<Command> Commands() => (
        from kind in Gen.Choose(0, 7)
        from key in Bytes
        from value in Bytes
        from expected in Bytes
        from ttl in Gen.Choose(0, int.MaxValue)
        select kind switch
        {
            0 => Command.Noop,
            1 => Command.Insert(key, value, (ulong)ttl),
            2 => Command.Delete(key),
            3 => Command.CompareAndSwap(key, expected, value, (ulong)ttl),
            4 => Command.InsertIfAbsent(key, value, (ulong)ttl),
            5 => Command.CompareAndDelete(key, expected),
            6 => Command.Renew(key, (ulong)ttl),
            _ => Command.Insert(key, value),
        }).ToArbitrary();

    private static Gen<byte[]> Bytes =>
        Gen.Choose(0, 300).SelectMany(length => Gen.Choose(0, 255).Select(b => (byte)b).ArrayOf(length));

    [Property]
    public void CommandSurvivesEncodingAndParsing(Command command)
    {
        Assert.True(Command.TryParse(Encode(command), out var parsed));
        Assert.Equal(command, parsed);
        Assert.Equal(command.GetHashCode(), parsed.GetHashCode());
        Assert.Equal(command.ToString(), parsed.ToString());
    }

    [Property]
    public void FlippedByteInWireFormParsesOrIsRefused(Command command, ushort at, byte other)
    {
        var bytes = Encode(command);
        if (bytes.Length > 0) bytes[at % bytes.Length] = other;
        if (!Command.TryParse(bytes, out var parsed)) Assert.Equal(Command.Noop, parsed);
        Command.TryParse(bytes.AsSpan(0, bytes.Length / 2), out _);
    }

    [Property]
    public void ChunkOfChunkWriterAppliesLikeItsEntries(Command first, Command second)
    {
        ApplyEntry[] entries = [new(1, 1, first, 5), new(2, 3, second)];
        var buffer = new ArrayBufferWriter<byte>();
        var writer = new ChunkWriter(buffer);
        foreach (var entry in entries) writer.Add(entry);
        Assert.Equal(2, writer.Count);
        Assert.Equal(WireChunk.Encode(entries), buffer.WrittenSpan.ToArray());
    }

    [Fact]
    public void MessageWithoutOperationIsRefused()
    {
        Assert.True(Command.TryParse([], out var noop));
        Assert.Equal(Command.Noop, noop);
        Assert.False(Command.TryParse([(100 << 3) & 0x7F | 0x80, 6, 1], out _)); // field 100 alone
    }

    [Fact]
    public void CommandsThatDifferInAnyPartAreNotEqual()
    {
        Command[] all =
        [
            Command.Noop, Command.Insert("k", "v"), Command.Insert("k", "w"), Command.Insert("l", "v"),
            Command.Insert("k", "v", 1), Command.Delete("k"), Command.CompareAndSwap("k", "", "v"),
            Command.CompareAndSwap("k", null, "v"), Command.CompareAndSwap("k", "x", "v"),
            Command.CompareAndDelete("k", ""), Command.CompareAndDelete("k", "x"), Command.Renew("k", 0),
            Command.Renew("k", 1),
        ];
        foreach (var (left, i) in all.Select((command, i) => (command, i)))
            foreach (var (right, j) in all.Select((command, j) => (command, j)))
                Assert.Equal(i == j, left == right);
        Assert.Equal(Command.InsertIfAbsent("k", "v"), Command.CompareAndSwap("k", null, "v"));
    }

    [Fact]
    public void CommandTextHasNoKeyOrValueBytes()
    {
        Assert.Equal("Noop", Command.Noop.ToString());
        Assert.Equal("Insert (key 6 B, value 5 B, TTL 60 s)", Command.Insert("secret", "value", 60).ToString());
        Assert.Equal("CompareAndSwap (key 6 B, value 5 B, expected 3 B)",
            Command.CompareAndSwap("secret", "old", "value").ToString());
        Assert.Equal("CompareAndSwap (key 6 B, value 5 B, expected absent)",
            Command.InsertIfAbsent("secret", "value").ToString());
        Assert.Equal("Renew (key 6 B, TTL 9 s)", Command.Renew("secret", 9).ToString());
        Assert.DoesNotContain(
            "secret", new ApplyEntry(1, 1, Command.Delete("secret")).ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void ResultsAreEqualByValueAndPrintNoKeyOrValueBytes()
    {
        static KeyValueEntry Entry(string value) =>
            new("secret"u8.ToArray(), System.Text.Encoding.UTF8.GetBytes(value));
        Assert.Equal(Entry("value"), Entry("value"));
        Assert.Equal(Entry("value").GetHashCode(), Entry("value").GetHashCode());
        Assert.NotEqual(Entry("value"), Entry("other"));
        Assert.NotEqual(Entry("value"), Entry("value") with { LeaseDeadlineMs = 5 });
        Assert.Equal("key 6 B, value 5 B", Entry("value").ToString());
        Assert.Equal("key 6 B, value 5 B, lease until 5 ms", (Entry("value") with { LeaseDeadlineMs = 5 }).ToString());

        Assert.Equal(new ScanResult([Entry("value")], 7), new ScanResult([Entry("value")], 7));
        Assert.NotEqual(new ScanResult([Entry("value")], 7), new ScanResult([Entry("value")], 8));
        Assert.NotEqual(new ScanResult([Entry("value")], 7), new ScanResult([], 7));
        Assert.Equal("1 entries at revision 7", new ScanResult([Entry("value")], 7).ToString());

        static ScanPage Page(params byte[] continuation) => new([Entry("value")], 7, continuation);
        Assert.Equal(Page(1), Page(1));
        Assert.Equal(Page(1).GetHashCode(), Page(1).GetHashCode());
        Assert.NotEqual(Page(1), Page(2));
        Assert.Equal("1 entries at revision 7", Page().ToString());
        Assert.Equal("1 entries at revision 7, and more", Page(1).ToString());

        var snapshot = new SnapshotMetadata(new LogId(7, 2), new byte[] { 0xAB, 1 });
        Assert.Equal(snapshot, new SnapshotMetadata(new LogId(7, 2), new byte[] { 0xAB, 1 }));
        Assert.Equal("index 7, term 2, checksum ab01", snapshot.ToString());
    }

    private static byte[] Encode(Command command)
    {
        var buffer = new ArrayBufferWriter<byte>();
        command.WriteTo(buffer);
        return buffer.WrittenSpan.ToArray();
    }
}
