using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Varve.Format;

namespace Varve.Bench.Micro.Memtables;

/// <summary>
/// Operations with random keys in a native buffer that stands for a mapped segment, and what to look up in them.
/// </summary>
internal sealed unsafe class MemtableWorkload : IDisposable
{
    public const int KeySize = 16;
    private const int ValueSize = 100;

    private readonly int _stride = (int)WalOperation.SizeOf(KeySize, ValueSize, RecordKind.Put);

    public MemtableWorkload(int count, int seed = 1, bool ascending = false)
    {
        Count = count;
        SegmentBytes = 64 + (long)count * _stride;
        Segment = (byte*)NativeMemory.AllocZeroed((nuint)SegmentBytes);
        Keys = new byte[count * KeySize];
        AbsentKeys = new byte[count * KeySize];
        References = new OperationRef[count];
        Hashes = new ulong[count];
        Order = [.. Enumerable.Range(0, count)];
        var random = new Random(seed);
        random.NextBytes(Keys);
        random.NextBytes(AbsentKeys);
        random.Shuffle(Order);
        Span<byte> value = stackalloc byte[ValueSize];
        for (var i = 0; i < count; i++)
        {
            if (ascending) BinaryPrimitives.WriteUInt64BigEndian(Keys.AsSpan(i * KeySize), (ulong)i);
            var offset = 64 + (long)i * _stride;
            WalOperation.Write(
                new Span<byte>(Segment + offset, _stride), (ulong)i + 1, default, RecordKind.Put, Key(i), value, 0);
            References[i] = OperationRef.FromOffset(offset);
            Hashes[i] = TestHash.Of(Key(i));
        }
    }

    public int Count { get; }
    public byte* Segment { get; }
    public long SegmentBytes { get; }
    public byte[] Keys { get; }
    public byte[] AbsentKeys { get; }
    public OperationRef[] References { get; }
    public ulong[] Hashes { get; }

    /// <summary>The keys shuffled: an order to read them in.</summary>
    public int[] Order { get; }

    public ReadOnlySpan<byte> Key(int i) => Keys.AsSpan(i * KeySize, KeySize);

    public ReadOnlySpan<byte> AbsentKey(int i) => AbsentKeys.AsSpan(i * KeySize, KeySize);

    public void Dispose() => NativeMemory.Free(Segment);
}
