using System.Buffers.Binary;
using Varve.Format;
using Xunit;

namespace Varve.Tests.Tables;

/// <summary>Seeded sets of rows, each nasty in its own way.</summary>
internal static class TestRows
{
    public const int Shapes = 11;

    /// <summary>Every shape with few runs, with as many as a vector holds, and with more.</summary>
    public static TheoryData<int, int> ShapesAndRuns
    {
        get
        {
            var data = new TheoryData<int, int>();
            for (var shape = 0; shape < Shapes; shape++)
                foreach (var runs in (ReadOnlySpan<int>)[1, 2, 5, 8, 9, 20])
                    data.Add(shape, runs);
            return data;
        }
    }

    /// <summary>Runs of one of the shapes below, newest first, with keys in common.</summary>
    public static List<TestRow>[] RunsOfShape(int shape, int runs) =>
        [.. Enumerable.Range(0, runs).Select(run => OfShape(shape, 100 * shape + run, 20 + 300 / runs))];

    /// <summary>Rows of distinct keys of one of the shapes below.</summary>
    public static List<TestRow> OfShape(int shape, int seed, int count)
    {
        var random = new Random(seed);
        var rows = new Dictionary<byte[], TestRow>(KeyOrder.Instance);
        for (var i = 0; i < count; i++)
        {
            var key = Key(shape, random, i);
            var kind = shape is 0 or 1 or 10 ? RecordKind.Put : (RecordKind)random.Next(1, 4);
            var value = new byte[kind == RecordKind.Tombstone ? 0 : ValueLength(shape, random)];
            random.NextBytes(value);
            rows[key] = new TestRow(key, kind, kind == RecordKind.LeasedPut ? (ulong)random.Next(1, 50) : 0, value);
        }
        return [.. rows.Values];
    }

    /// <summary>Keys next to the rows' keys on every side: shorter, longer, one bit away, and the extremes.</summary>
    public static IEnumerable<byte[]> Probes(IReadOnlyList<TestRow> rows, int seed)
    {
        var random = new Random(seed);
        yield return [0];
        yield return [255];
        yield return [.. Enumerable.Repeat((byte)255, 300)];
        foreach (var row in rows)
        {
            var key = row.Key;
            yield return key;
            yield return [.. key, 0];
            yield return [.. key, 255];
            if (key.Length > 1) yield return key[..^1];
            byte[] flipped = [.. key];
            flipped[random.Next(key.Length)] ^= (byte)(1 << random.Next(8));
            yield return flipped;
        }
    }

    private static byte[] Key(int shape, Random random, int i) => shape switch
    {
        0 => RandomBytes(random, 16),
        1 => BigEndian(i),
        2 => RandomBytes(random, random.Next(1, 4)),
        3 => [.. Enumerable.Repeat((byte)7, 500), .. RandomBytes(random, random.Next(0, 12))],
        4 => [.. Enumerable.Repeat((byte)0, random.Next(1, 40))],
        5 => [.. Enumerable.Repeat((byte)255, random.Next(1, 40)), .. RandomOf(random, [0, 255], random.Next(0, 3))],
        6 => [(byte)'a', (byte)'b', .. RandomOf(random, [0, 1], random.Next(0, 14))],
        7 => [.. RandomOf(random, [0, 255], random.Next(1, 12))],
        8 => [.. RandomOf(random, [7], random.Next(0, 3)), .. Enumerable.Repeat(
            (byte)9, random.Next(1, 65_000)), (byte)random.Next(256)],
        9 => [.. System.Text.Encoding.ASCII.GetBytes($"user/{i % 7}/profile/{random.Next(1000)}")],
        _ => RandomOf(random, [0, 255], 13),   // uniform rows, many with one head
    };

    private static int ValueLength(int shape, Random random) => (shape, random.Next(40)) switch
    {
        (0 or 1 or 10, _) => 100,
        (2, 0) => random.Next(200 << 10, 400 << 10),
        (_, 1) => random.Next(20_000),
        (_, < 10) => 0,
        _ => random.Next(120),
    };

    private static byte[] BigEndian(int i)
    {
        var key = new byte[8];
        BinaryPrimitives.WriteInt64BigEndian(key, i * 3L);
        return key;
    }

    private static byte[] RandomBytes(Random random, int length)
    {
        var bytes = new byte[length];
        random.NextBytes(bytes);
        return bytes;
    }

    private static byte[] RandomOf(Random random, byte[] alphabet, int length)
    {
        var bytes = new byte[length];
        for (var i = 0; i < length; i++)
            bytes[i] = alphabet[random.Next(alphabet.Length)];
        return bytes;
    }
}
