namespace Varve.Tests.Engine.Memtables;

/// <summary>Keys by unsigned bytes.</summary>
internal sealed class KeyOrder : IComparer<byte[]>
{
    public static readonly KeyOrder Instance = new();

    public int Compare(byte[]? x, byte[]? y) => x.AsSpan().SequenceCompareTo(y);
}

/// <summary>Keys of nasty shapes, from a seed.</summary>
internal static class AdversarialKeys
{
    private static readonly byte[][] Stems =
    [
        [], "ab"u8.ToArray(), "ab\0"u8.ToArray(), [0], [0xFF], [.. Enumerable.Repeat((byte)0xFF, 9)],
        [.. Enumerable.Repeat((byte)0, 17)], [.. Enumerable.Repeat((byte)'p', 40)],
        [.. Enumerable.Repeat((byte)'q', 250)], "user:0000000"u8.ToArray(), "user:0000001"u8.ToArray(),
    ];

    /// <summary>One to 300 bytes: a shared stem, then a tail of few or of all byte values.</summary>
    public static byte[] Next(Random random)
    {
        while (true)
        {
            var stem = Stems[random.Next(Stems.Length)];
            var tail = new byte[random.Next(4) == 0 ? random.Next(50) : random.Next(4)];
            if (random.Next(3) == 0) random.NextBytes(tail);
            else
            {
                for (var i = 0; i < tail.Length; i++)
                    tail[i] = random.Next(4) switch { 0 => 0, 1 => 0xFF, 2 => (byte)'a', _ => 1 };
            }

            if (stem.Length + tail.Length > 0) return [.. stem, .. tail];
        }
    }
}
