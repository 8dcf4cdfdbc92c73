using System.Buffers.Binary;
using Varve.Format;

namespace Varve.Tests.Format;

/// <summary>
/// The hash that is on disk in filters and tags: frozen, secret, and spread over all its bits at every length.
/// </summary>
public class KeyHasherTests
{
    private static readonly int[] Lengths = [1, 3, 4, 7, 8, 9, 12, 16, 17, 31, 32, 33, 48, 100, 255, 1000];

    [Fact]
    public void HashMatchesFormatDocument()
    {
        var bytes = new byte[300];
        new Random(5).NextBytes(bytes);
        foreach (var seed in (ulong[])[0, 1, ulong.MaxValue, 0x0123_4567_89AB_CDEF])
            for (var length = 1; length + 7 <= bytes.Length; length++)
                Assert.Equal(Reference(bytes.AsSpan(7, length), seed), new KeyHasher(seed).Of(bytes.AsSpan(7, length)));
    }

    /// <summary>Changes on purpose only with the format: tables on disk have been filtered with it.</summary>
    [Theory]
    [InlineData("a", 0x003B2E2F9E2D2CF1)]
    [InlineData("abcd", 0x73A3293E182E0DA6)]
    [InlineData("key/00000000", 0x843C79F9D68CB6CA)]
    [InlineData("a key that is longer than sixteen bytes", 0x13745C3406050A5C)]
    public void HashVectorsAreFrozen(string key, ulong hash) =>
        Assert.Equal(
            hash.ToString("X16"),
            new KeyHasher(0x0123_4567_89AB_CDEF).Of(System.Text.Encoding.ASCII.GetBytes(key)).ToString("X16"));

    /// <summary>Keys that differ in a bit, under any seed, differ in about half of the hash's bits.</summary>
    [Fact]
    public void EveryInputBitFlipsHalfTheHash()
    {
        var random = new Random(6);
        foreach (var length in Lengths)
        {
            var changed = new int[64];
            var trials = 0;
            for (var round = 0; round < 40; round++)
            {
                var key = new byte[length];
                random.NextBytes(key);
                var seed = (ulong)random.NextInt64();
                var hash = new KeyHasher(seed).Of(key);
                for (var flip = 0; flip < 32; flip++, trials += 2)
                {
                    var bit = random.Next(8 * length);
                    key[bit >> 3] ^= (byte)(1 << (bit & 7));
                    Note(hash ^ new KeyHasher(seed).Of(key));
                    key[bit >> 3] ^= (byte)(1 << (bit & 7));
                    Note(hash ^ new KeyHasher(seed ^ 1UL << random.Next(64)).Of(key));
                }
            }

            foreach (var count in changed) Assert.InRange(count, trials * 0.42, trials * 0.58);

            void Note(ulong difference)
            {
                for (var bit = 0; bit < 64; bit++) changed[bit] += (int)(difference >> bit & 1);
            }
        }
    }

    /// <summary>
    /// The lowest bits choose buckets, the highest filter lines, a byte is the tag: counters in any place of a key
    /// spread evenly.
    /// </summary>
    [Theory]
    [InlineData(8, 0)]
    [InlineData(8, 4)]
    [InlineData(16, 0)]
    [InlineData(16, 12)]
    [InlineData(40, 20)]
    [InlineData(300, 150)]
    public void CountersSpreadOverBuckets(int length, int at)
    {
        const int Buckets = 256, Keys = Buckets * 200;
        int[] low = new int[Buckets], high = new int[Buckets];
        var key = new byte[length];
        for (uint i = 0; i < Keys; i++)
        {
            BinaryPrimitives.WriteUInt32BigEndian(key.AsSpan(at), i);
            var hash = TestHash.Of(key);
            low[(byte)hash]++;
            high[hash >> 56]++;
        }

        foreach (var count in low.Concat(high)) Assert.InRange(count, 100, 300); // seven deviations
    }

    /// <summary>
    /// Keys that collide under XXH3, without a seed or under some, are ordinary here: those whose first word makes a
    /// product vanish, and long ones whose highest bits are flipped in two places of a lane.
    /// </summary>
    [Fact]
    public void KeysCollidingUnderXxh3DoNotCollide()
    {
        var hashes = new HashSet<ulong>();
        for (ulong i = 0; i < 10_000; i++)
        {
            var key = new byte[16];
            BinaryPrimitives.WriteUInt64LittleEndian(key, 0x6782737BEA4239B9);
            BinaryPrimitives.WriteUInt64LittleEndian(key.AsSpan(8), i << 32);
            hashes.Add(TestHash.Of(key));
        }

        for (var i = 0; i < 1 << 14; i++)
        {
            var key = new byte[1024];
            for (var stripe = 0; stripe < 14; stripe++) key[64 * stripe + 7] = (byte)(i >> stripe << 7);
            hashes.Add(TestHash.Of(key));
        }

        Assert.Equal(10_000 + (1 << 14), hashes.Count);
    }

    /// <summary>The text of docs/FORMAT.md, slowly.</summary>
    private static ulong Reference(ReadOnlySpan<byte> key, ulong seed)
    {
        const ulong Golden = 0x9E3779B97F4A7C15;
        ulong k = Mix(seed + Golden), state = Mix(seed + unchecked(2 * Golden)), a, b;
        if (key.Length < 4) (a, b) = ((ulong)(key[0] | key[key.Length / 2] << 8 | key[^1] << 16), 0);
        else if (key.Length < 8) (a, b) = (Number(key[..4]), Number(key[^4..]));
        else if (key.Length <= 16) (a, b) = (Number(key[..8]), Number(key[^8..]));
        else
        {
            (a, b) = (Number(key[^16..^8]), Number(key[^8..]));
            for (var at = 0; at < key.Length - 16; at += 16)
                state = Fold(Number(key.Slice(at, 8)) ^ k, Number(key.Slice(at + 8, 8)) ^ state);
        }

        (a, b) = (a ^ k, b ^ state);
        var hash = (ulong)key.Length + BinaryPrimitives.ReverseEndianness(a) + b + Fold(a, b);
        hash = (hash ^ hash >> 37) * 0x165667919E3779F9;
        return hash ^ hash >> 32;

        static ulong Fold(ulong x, ulong y) => (ulong)((UInt128)x * y) ^ (ulong)((UInt128)x * y >> 64);

        static ulong Mix(ulong z)
        {
            z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9;
            z = (z ^ z >> 27) * 0x94D049BB133111EB;
            return z ^ z >> 31;
        }

        static ulong Number(ReadOnlySpan<byte> bytes)
        {
            var number = 0UL;
            for (var i = bytes.Length; i-- > 0;) number = number << 8 | bytes[i];
            return number;
        }
    }
}
