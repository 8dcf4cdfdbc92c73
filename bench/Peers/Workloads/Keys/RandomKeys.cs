using System.Buffers.Binary;

namespace Varve.Bench.Peers;

/// <summary>
/// 16 bytes. The first three are one of entries/31 evenly spaced values, so that a three-byte prefix holds 31 entries
/// whatever the size of the run; the rest is a hash.
/// </summary>
internal sealed class RandomKeys(long entries) : KeyShape
{
    public const int PrefixBytes = 3;
    public const int EntriesPerPrefix = 31;

    private readonly uint _buckets = (uint)Math.Clamp(entries / EntriesPerPrefix, 1, 1 << 24);

    public override int BytesMax => 16;

    public uint Buckets => _buckets;

    public override KeyShape Resized(long count) => new RandomKeys(count);

    public override int Write(long number, Span<byte> key)
    {
        var high = Hash.Mix(Seed + (ulong)number);
        var low = Hash.Mix(high ^ (ulong)number);
        var bucket = (uint)(((high >> 32) * _buckets) >> 32);
        BinaryPrimitives.WriteUInt64BigEndian(key, ((ulong)BucketStart(bucket) << 40) | (Hash.Mix(low) >> 24));
        BinaryPrimitives.WriteUInt64BigEndian(key[8..], low);
        return 16;
    }

    /// <summary>The prefix shared by the entries of one bucket.</summary>
    public void WritePrefix(uint bucket, Span<byte> prefix)
    {
        var start = BucketStart(bucket);
        prefix[0] = (byte)(start >> 16);
        prefix[1] = (byte)(start >> 8);
        prefix[2] = (byte)start;
    }

    private uint BucketStart(uint bucket) => (uint)(((ulong)bucket << 24) / _buckets);
}
