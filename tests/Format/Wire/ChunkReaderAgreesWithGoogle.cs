using FsCheck.Xunit;

namespace Varve.Tests.Format.Wire;

[Properties(Arbitrary = [typeof(EntryShapes), typeof(Seeds)], MaxTest = 300)]
public class ChunkReaderAgreesWithGoogle
{
    [Property]
    public void GoogleEncodedChunksRoundTrip(EntryShape[] shapes)
    {
        var meanings = GoogleOracle.AssertSame(EntryShape.EncodeByGoogle(shapes));
        Assert.Equal(shapes.Length, meanings!.Count);
    }

    [Property(MaxTest = 30_000)]
    public void LegalNoiseIsDecodedAlike(Seed seed) =>
        GoogleOracle.AssertSame(WireNoise.Chunk(seed.Value, illegalPerThousand: 0));

    [Property(MaxTest = 10_000)]
    public void NearlyLegalNoiseIsAcceptedAlike(Seed seed) =>
        GoogleOracle.AssertSame(WireNoise.Chunk(seed.Value, illegalPerThousand: 8));

    [Fact]
    public void NoiseExercisesBothEndings()
    {
        var accepted = Enumerable.Range(0, 2_000).Count(
            seed => GoogleOracle.Decode(WireNoise.Chunk(seed, illegalPerThousand: 3)) is not null);
        Assert.InRange(accepted, 200, 1_800);
    }

    [Property(MaxTest = 500)]
    public void MutatedChunksAreAcceptedAlike(EntryShape[] shapes, Seed seed)
    {
        var random = seed.NewRandom();
        var original = EntryShape.EncodeByGoogle(shapes.Take(3));
        for (var round = 0; round < 20; round++) GoogleOracle.AssertSame(Mutate(original, random));
    }

    [Property(MaxTest = 10_000)]
    public void GarbageIsAcceptedAlike(byte[] garbage) => GoogleOracle.AssertSame(garbage);

    [Property(MaxTest = 10_000)]
    public void GarbageInEntryIsAcceptedAlike(byte[] garbage) =>
        GoogleOracle.AssertSame([(byte)garbage.Length, .. garbage.Take(127)]);

    [Property(MaxTest = 100)]
    public void EveryTruncationIsRejectedUnlessBetweenEntries(EntryShape shape)
    {
        var chunk = EntryShape.EncodeByGoogle(
            [shape with { Key = [1, 2, 3], Value = [4, 5], Expected = [] }, shape with { Key = [9], Value = [8] }]);
        for (var length = 0; length < chunk.Length; length++) GoogleOracle.AssertSame(chunk.AsSpan(0, length));
    }

    private static byte[] Mutate(byte[] original, Random random)
    {
        var bytes = original.ToList();
        for (var edits = random.Next(1, 4); edits > 0; edits--)
        {
            // Near the front, where lengths and tags are, more often than in the middle of a value.
            var at = bytes.Count == 0 ? 0 : random.Next(Math.Min(bytes.Count, random.Next(2) == 0 ? 24 : bytes.Count));
            switch (random.Next(4))
            {
                case 0 when bytes.Count > 0: bytes[at] ^= (byte)(1 << random.Next(8)); break;
                case 1 when bytes.Count > 0: bytes[at] = (byte)random.Next(256); break;
                case 2 when bytes.Count > 0: bytes.RemoveAt(at); break;
                default: bytes.Insert(at, (byte)random.Next(256)); break;
            }
        }

        return [.. bytes];
    }
}
