using System.Buffers.Binary;
using System.Numerics;

namespace Varve.Bench.Micro.Reads;

/// <summary>
/// Entries as a function of their number: 16-byte keys of which 31 share their first three bytes (as in bench/Peers),
/// and the keys of a series of reads, written out beforehand: random gets, and every prefix once, in a random order.
/// Numbers at or above the count are keys that are never written.
/// </summary>
internal sealed class ReadWorkload
{
    public const int KeyBytes = 16;
    public const int PrefixBytes = 3;
    private const int EntriesPerPrefix = 31;
    private readonly uint _buckets;

    public ReadWorkload(int entries, int valueBytes, int gets)
    {
        Entries = entries;
        ValueBytes = valueBytes;
        Gets = gets;
        _buckets = (uint)Math.Clamp(entries / EntriesPerPrefix, 1, 1 << 24);
        Present = new byte[gets * KeyBytes];
        Absent = new byte[gets * KeyBytes];
        Prefixes = new byte[_buckets * PrefixBytes];
        for (var i = 0; i < gets; i++)
        {
            WriteKey(Pick((ulong)i, entries), Present.AsSpan(i * KeyBytes));
            WriteKey(entries + Pick((ulong)i, entries), Absent.AsSpan(i * KeyBytes));
        }

        var buckets = Enumerable.Range(0, (int)_buckets).ToArray();
        new Random(1).Shuffle(buckets);
        for (var i = 0; i < Scans; i++)
        {
            var start = BucketStart((uint)buckets[i]);
            Prefixes[3 * i] = (byte)(start >> 16);
            Prefixes[3 * i + 1] = (byte)(start >> 8);
            Prefixes[3 * i + 2] = (byte)start;
        }
    }

    public int Entries { get; }

    public int ValueBytes { get; }

    public int Gets { get; }

    public int Scans => Prefixes.Length / PrefixBytes;

    public byte[] Present { get; }

    public byte[] Absent { get; }

    public byte[] Prefixes { get; }

    /// <summary>Applies all entries in chunks of 100.</summary>
    public void Fill(LsmStateMachine machine)
    {
        const int Chunk = 100;
        var chunk = new ApplyEntry[Chunk];
        var keys = new byte[Chunk * KeyBytes];
        var values = new byte[Chunk * ValueBytes];
        var results = new ApplyResult[Chunk];
        for (var first = 0; first < Entries; first += Chunk)
        {
            var count = Math.Min(Chunk, Entries - first);
            for (var i = 0; i < count; i++)
            {
                WriteKey(first + i, keys.AsSpan(i * KeyBytes));
                BinaryPrimitives.WriteInt64LittleEndian(values.AsSpan(i * ValueBytes), first + i);
                chunk[i] = new ApplyEntry(
                    (ulong)(first + i + 1), 1,
                    Command.Insert(keys.AsMemory(i * KeyBytes, KeyBytes), values.AsMemory(i * ValueBytes, ValueBytes)));
            }

            machine.ApplyChunk(chunk.AsSpan(0, count), results);
        }
    }

    private static long Pick(ulong position, long bound) =>
        (long)Math.BigMul(Mix(position * 0x9E3779B97F4A7C15 + 1), (ulong)bound, out _);

    private void WriteKey(long number, Span<byte> key)
    {
        var high = Mix((ulong)number);
        var low = Mix(high ^ (ulong)number);
        var bucket = (uint)(((high >> 32) * _buckets) >> 32);
        BinaryPrimitives.WriteUInt64BigEndian(key, ((ulong)BucketStart(bucket) << 40) | (Mix(low) >> 24));
        BinaryPrimitives.WriteUInt64BigEndian(key[8..], low);
    }

    private uint BucketStart(uint bucket) => (uint)(((ulong)bucket << 24) / _buckets);

    private static ulong Mix(ulong x)
    {
        x += 0x9E3779B97F4A7C15;
        x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
        x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
        return BitOperations.RotateLeft(x ^ (x >> 31), 17);
    }
}
