using FsCheck.Xunit;
using Varve.Format;

namespace Varve.Tests.Format.Records;

/// <summary>Properties of all record codecs.</summary>
[Properties(Arbitrary = [typeof(Seeds)], MaxTest = 500)]
public class RecordCodecsTests
{
    private static readonly (
        string Name, Func<Random, (object Record, byte[] Bytes)> Encode, Func<byte[], object?> Decode)[] Codecs =
    [
        (
            "table descriptor", random => Pair(Samples.RandomTable(random), TableDescriptorCodec.Encode),
            bytes => TableDescriptorCodec.TryDecode(bytes, out var value, out _) ? value : null),
        (
            "machine state", random => Pair(Samples.RandomState(random), MachineStateCodec.Encode),
            bytes => MachineStateCodec.TryDecode(bytes, out var value, out _) ? value : null),
        (
            "version edit", random => Pair(Samples.RandomEdit(random), VersionEditCodec.Encode),
            bytes => VersionEditCodec.TryDecode(bytes, out var value, out _) ? value : null),
        (
            "manifest payload", random => Pair(Samples.RandomManifest(random), SnapshotManifestCodec.EncodePayload),
            bytes => SnapshotManifestCodec.TryDecodePayload(bytes, out var value, out _) ? value : null),
        (
            "manifest file", random => Pair(Samples.RandomManifest(random), SnapshotManifestCodec.Encode),
            bytes => SnapshotManifestCodec.TryDecode(bytes, out var value, out _) ? value : null),
    ];

    [Property]
    public void RecordsRoundTrip(Seed seed)
    {
        foreach (var (name, encode, decode) in Codecs)
        {
            var (record, bytes) = encode(seed.NewRandom());
            Assert.Equal((name, Samples.Text(record)), (name, Samples.Text(decode(bytes))));
        }
    }

    [Property(MaxTest = 2_000)]
    public void AnyBytesAreHandled(byte[] bytes)
    {
        foreach (var (_, _, decode) in Codecs) Survival.Bounded(bytes, span => decode(span.ToArray()) is not null);
    }

    [Property(MaxTest = 2_000)]
    public void RandomDamageIsRejectedOrCanonical(Seed seed)
    {
        var random = seed.NewRandom();
        var bytes = VersionEditCodec.Encode(Samples.RandomEdit(random));
        for (var edits = random.Next(1, 4); edits > 0; edits--)
            bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
        if (VersionEditCodec.TryDecode(bytes, out var edit, out var error))
            Assert.Equal(bytes, VersionEditCodec.Encode(edit));
        else Assert.InRange(error.Offset, 0, bytes.Length);
    }

    [Fact]
    public void DamageIsHandled()
    {
        Survival.OfDamageTo(
            TableDescriptorCodec.Encode(Samples.Table), bytes => TableDescriptorCodec.TryDecode(bytes, out _, out _));
        Survival.OfDamageTo(
            MachineStateCodec.Encode(Samples.State), bytes => MachineStateCodec.TryDecode(bytes, out _, out _));
        Survival.OfDamageTo(
            VersionEditCodec.Encode(Samples.Edit), bytes => VersionEditCodec.TryDecode(bytes, out _, out _));
        Survival.OfDamageTo(
            SnapshotManifestCodec.EncodePayload(Samples.Manifest),
            bytes => SnapshotManifestCodec.TryDecodePayload(bytes, out _, out _));
    }

    private static (object Record, byte[] Bytes) Pair<T>(T record, Func<T, byte[]> encode)
        where T : notnull => (record, encode(record));
}
