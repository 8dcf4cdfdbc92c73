using System.Buffers.Binary;

namespace Varve.Bench.Peers;

/// <summary>
/// A data set: entry n is a function of n alone, so every engine and every repetition gets the same one. Values are
/// half random and half constant. Numbers at or above the entry count give keys of the same kind that are never
/// written.
/// </summary>
internal sealed class EntrySource(long entries, KeyShape keys, int valueBytes) : IEntries
{
    public long Entries => entries;

    public KeyShape Keys => keys;

    public int KeyBytesMax => keys.BytesMax;

    public int ValueBytes => valueBytes;

    /// <summary>
    /// Bytes of all keys and values: what is left when every entry is live and nothing is stored beside it.
    /// </summary>
    public double UserBytes => entries * (keys.BytesMean + valueBytes);

    public static EntrySource Random(long entries, int valueBytes = 100) =>
        new(entries, new RandomKeys(entries), valueBytes);

    public static EntrySource AscendingKeys(long entries) => new(entries, new AscendingKeys(), 256);

    /// <summary>The same kind of entries, another number of them.</summary>
    public EntrySource Resized(long count) => new(count, keys.Resized(count), valueBytes);

    public int WriteKey(long position, Span<byte> key) => keys.Write(position, key);

    public void WriteValue(long position, Span<byte> value) => FillValue((ulong)position, value);

    /// <summary>A value that is a function of <paramref name="version"/>.</summary>
    public static void FillValue(ulong version, Span<byte> value)
    {
        var half = value.Length / 2;
        var state = Hash.Mix(version ^ (KeyShape.Seed << 1));
        var at = 0;
        for (; at + 8 <= half; at += 8)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(value[at..], state);
            state = Hash.Mix(state);
        }

        value[at..].Fill((byte)'v');
    }

    /// <summary>A reproducible stream of numbers below <paramref name="bound"/>.</summary>
    public static long Pick(ulong position, long bound) =>
        (long)Math.BigMul(Hash.Mix(position * 0x9E3779B97F4A7C15 + 1), (ulong)bound, out _);
}
