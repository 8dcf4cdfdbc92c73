using System.Buffers.Binary;
using System.Numerics;

namespace Varve.Bench.Peers;

/// <summary>
/// The entries of a run as a pure function of their number, the same for every engine and every repetition.
/// Random keys: the first three bytes are one of entries/31 evenly spaced values, so that a three-byte prefix holds 31 entries
/// whatever the size of the run; the rest is a hash. Values are half random and half constant.
/// Numbers at or above the entry count give keys of the same kind that are never written.
/// </summary>
internal readonly struct EntrySource(long entries, int keyBytes, int valueBytes, bool ascending)
{
    public const int PrefixBytes = 3;
    public const int EntriesPerPrefix = 31;
    private const ulong Seed = 0x5661727665_2026;

    private readonly uint _buckets = (uint)Math.Clamp(entries / EntriesPerPrefix, 1, 1 << 24);

    public long Entries { get; } = entries;

    public int KeyBytes { get; } = keyBytes;

    public int ValueBytes { get; } = valueBytes;

    public bool Ascending { get; } = ascending;

    public uint Buckets => _buckets;

    public static EntrySource Random(long entries) => new(entries, 16, 100, ascending: false);

    public static EntrySource AscendingKeys(long entries) => new(entries, 8, 256, ascending: true);

    public void WriteKey(long number, Span<byte> key)
    {
        if (Ascending)
        {
            BinaryPrimitives.WriteInt64BigEndian(key, number + 1);
            return;
        }

        var high = Mix(Seed + (ulong)number);
        var low = Mix(high ^ (ulong)number);
        var bucket = (uint)(((high >> 32) * _buckets) >> 32);
        BinaryPrimitives.WriteUInt64BigEndian(key, ((ulong)BucketStart(bucket) << 40) | (Mix(low) >> 24));
        BinaryPrimitives.WriteUInt64BigEndian(key[8..], low);
    }

    /// <summary>The prefix shared by the entries of one bucket.</summary>
    public void WritePrefix(uint bucket, Span<byte> prefix)
    {
        var start = BucketStart(bucket);
        prefix[0] = (byte)(start >> 16);
        prefix[1] = (byte)(start >> 8);
        prefix[2] = (byte)start;
    }

    public void WriteValue(long number, Span<byte> value)
    {
        var half = value.Length / 2;
        var state = Mix((ulong)number ^ (Seed << 1));
        var position = 0;
        for (; position + 8 <= half; position += 8)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(value[position..], state);
            state = Mix(state);
        }

        value[position..].Fill((byte)'v');
    }

    /// <summary>A reproducible stream of numbers below <paramref name="bound"/>.</summary>
    public static long Pick(ulong position, long bound) => (long)Math.BigMul(Mix(position * 0x9E3779B97F4A7C15 + 1), (ulong)bound, out _);

    private uint BucketStart(uint bucket) => (uint)(((ulong)bucket << 24) / _buckets);

    private static ulong Mix(ulong x)
    {
        x += 0x9E3779B97F4A7C15;
        x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
        x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
        return BitOperations.RotateLeft(x ^ (x >> 31), 17);
    }
}
