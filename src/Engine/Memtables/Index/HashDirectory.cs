using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Varve.Format;
using Varve.Memory;

namespace Varve.Memtables;

/// <summary>
/// The exact half of the memtable's index: maps a key's hash to its newest operation. A lookup reads about one cache
/// line, and the key of one operation.
/// </summary>
/// <remarks>
/// <para><b>The problem.</b> Gets, compare-and-swaps and duplicate keys look up one key; most keys are absent. Absence
/// must not cost a descent of the list, and the table must never stop to rehash: a chunk's latency is promised.</para>
/// <para><b>The obvious design</b>, open addressing that doubles, moves all entries at once and needs a second table
/// meanwhile. <b>Linear hashing</b> grows by one bucket at a time: bucket n - 2^L splits into itself and bucket n
/// by hash bit L, where L is log2 of the bucket count n. Buckets are one line; what overflows goes to chained
/// lines.</para>
/// <list type="number">
/// <item>A slot is taken when its reference is not 0. The tag is stored before the reference, which releases.</item>
/// <item>The tag holds sixteen hash bits, the lowest of which are those that the table grows by: a split never looks at
/// keys. The table grows 64-fold at most, so ten bits always tell the keys of a bucket apart.</item>
/// <item>A split stores copies in the new bucket, then publishes the bucket count, then clears the originals.</item>
/// <item>No entry moves within its bucket's chain, and chain lines are never taken out.</item>
/// <item>A key's slot always holds its newest operation, whose chain of prior versions is complete.</item>
/// </list>
/// <para><b>Why a reader at revision r misses no version up to r.</b> All those inserts happened before r was
/// published, which the reader acquired; so at its start the key has its slot in the bucket that the count n read then
/// or later gives. By
/// (4) the slot stays where it is unless that bucket splits, and by (3) the slot is cleared, and reused, only after a
/// count above n is stored. A reader that found nothing therefore reads the count again: unchanged means that nothing
/// it looked at can have been cleared, so the key is absent at r; changed means to look again. A hit is always checked
/// against the key itself, so a slot that was reused meanwhile cannot answer for another key; and by (5) the version
/// for r is on the chain of whatever the slot holds.</para>
/// </remarks>
internal sealed class HashDirectory
{
    private const int SlotsMax = 10;
    private const int KeysPerBucketMax = 6;
    private const int GrowthBits = 6;
    // 64 times the bytes that six of the smallest operations take, rounded down.
    private const int SegmentBytesPerBucketMax = 8192;

    [StructLayout(LayoutKind.Explicit, Size = Arena.LineSize)]
    private struct Bucket
    {
        // SAFETY: these members are ten slots in a line of 64 bytes; `HitsOf` loads 32 bytes of tags, which lie in the
        // line.
        [FieldOffset(0)] public unsafe fixed ushort Tags[SlotsMax];
        [FieldOffset(20)] public unsafe fixed uint References[SlotsMax];
        [FieldOffset(60)] public uint Overflow;
    }

    // SAFETY: the start of the mapped segment, which the memtable keeps mapped longer than its index.
    private readonly unsafe byte* _segment;
    private readonly Arena _overflow;
    private readonly Arena _buckets;
    private readonly int _initialBits;
    private readonly long _countMax;
    // SAFETY: the first bucket; the buckets lie one behind the other in their own arena, which stays in place.
    private readonly unsafe Bucket* _first;
    private long _count;
    private long _keys;

    /// <summary>Creates a directory for the operations of <paramref name="segment"/>, in clear memory.</summary>
    // SAFETY: the arena gives `_count` clear lines, or throws; a bucket is one line.
    public unsafe HashDirectory(byte* segment, IndexMemory memory)
    {
        _segment = segment;
        _overflow = memory.Lines;
        _buckets = memory.Buckets;
        _initialBits = InitialBits(memory.SegmentBytes);
        _count = 1L << _initialBits;
        _countMax = _count << GrowthBits;
        _first = (Bucket*)_buckets.At(_buckets.Allocate((int)_count));
    }

    /// <summary>The most bytes that the buckets for a segment take.</summary>
    public static long BytesMax(long segmentBytes) => (Arena.LineSize << GrowthBits) << InitialBits(segmentBytes);

    /// <summary>The bytes of the buckets for a number of keys, for a directory that begins with the fewest.</summary>
    public static long BytesFor(long keys) => keys / KeysPerBucketMax * Arena.LineSize;

    /// <summary>Prefetches the bucket of <paramref name="hash"/>.</summary>
    // SAFETY: a prefetch touches nothing.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public unsafe void Prefetch(ulong hash) => Memory.Prefetch.Line(BucketOf(hash, Volatile.Read(ref _count)));

    /// <summary>The newest operation of <paramref name="key"/>, or 0. Any thread.</summary>
    // SAFETY: a bucket number is below the count, and a line's number comes from the arena; hits are slots below ten.
    public unsafe uint Find(ReadOnlySpan<byte> key, ulong hash)
    {
        while (true)
        {
            var count = Volatile.Read(ref _count);
            var bucket = BucketOf(hash, count);
            while (true)
            {
                for (var hits = HitsOf(bucket, TagOf(hash)); hits != 0; hits &= hits - 1)
                {
                    var reference = Volatile.Read(ref bucket->References[BitOperations.TrailingZeroCount(hits)]);
                    if (reference != 0 && IsOf(reference, key)) return reference;
                }

                var overflow = Volatile.Read(ref bucket->Overflow);
                if (overflow == 0) break;
                bucket = (Bucket*)_overflow.At(overflow);
            }

            Volatile.ReadBarrier();
            if (Volatile.Read(ref _count) == count) return 0;
        }
    }

    /// <summary>Makes an empty directory without readers as large as a number of keys will make it.</summary>
    public void Reserve(long keys)
    {
        var count = Math.Clamp((keys + KeysPerBucketMax - 1) / KeysPerBucketMax, _count, _countMax);
        if (_keys > 0 || count == _count) return;
        _buckets.Allocate((int)(count - _count)); // directly after the present ones: the arena has no other user
        _count = count;
    }

    /// <summary>Adds a key that the directory does not have. Writer only.</summary>
    // SAFETY: `BucketOf` gives a bucket below the count.
    public unsafe void Add(uint reference, ulong hash)
    {
        Append(BucketOf(hash, _count), TagOf(hash), reference);
        if (++_keys > _count * KeysPerBucketMax && _count < _countMax) Split();
    }

    /// <summary>
    /// Puts <paramref name="reference"/> in the slot that holds <paramref name="prior"/>. Writer only.
    /// </summary>
    /// <exception cref="InvalidOperationException">No slot of the hash holds it.</exception>
    // SAFETY: the span has the ten references of a line, and a line's overflow is 0 or a line of the arena.
    public unsafe void Replace(uint prior, uint reference, ulong hash)
    {
        for (var bucket = BucketOf(hash, _count); ; bucket = (Bucket*)_overflow.At(bucket->Overflow))
        {
            var slot = new ReadOnlySpan<uint>(bucket->References, SlotsMax).IndexOf(prior);
            if (slot >= 0)
            {
                Volatile.Write(ref bucket->References[slot], reference);
                return;
            }

            if (bucket->Overflow == 0)
                throw new InvalidOperationException("The operation's prior version is not the newest of its key.");
        }
    }

    private static int InitialBits(long segmentBytes) =>
        BitOperations.Log2((ulong)Math.Max(segmentBytes / SegmentBytesPerBucketMax, 1));

    // SAFETY: the number is below `count`, and `count` buckets were allocated before it was published.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private unsafe Bucket* BucketOf(ulong hash, long count)
    {
        var mask = (2L << BitOperations.Log2((ulong)count)) - 1;
        var number = (long)hash & mask;
        if (number >= count) number &= mask >> 1;
        return _first + number;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private ushort TagOf(ulong hash) => (ushort)(hash >> _initialBits);

    /// <summary>The slots, taken or not, whose tag is <paramref name="tag"/>, as bits.</summary>
    // SAFETY: these members load vectors of at most 40 bytes that lie within the bucket's line of 64.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static unsafe uint HitsOf(Bucket* bucket, ushort tag) =>
        Vector256.Equals(Vector256.Load(bucket->Tags), Vector256.Create(tag)).ExtractMostSignificantBits()
        & ((1u << SlotsMax) - 1);

    /// <summary>The slots, taken or not, whose tag has a bit.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static unsafe uint HaveBit(Bucket* bucket, ushort bit) =>
        ~Vector256.Equals(Vector256.Load(bucket->Tags) & Vector256.Create(bit), Vector256<ushort>.Zero)
            .ExtractMostSignificantBits() & ((1u << SlotsMax) - 1);

    /// <summary>The slots that are not taken.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static unsafe uint FreeIn(Bucket* bucket) =>
        Vector256.Equals(Vector256.Load(bucket->References), Vector256<uint>.Zero).ExtractMostSignificantBits()
        | (Vector256.Equals(Vector256.Load(bucket->References + (SlotsMax - 8)), Vector256<uint>.Zero)
            .ExtractMostSignificantBits() << (SlotsMax - 8));

    // SAFETY: a reference that was published names a finished operation of the segment.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private unsafe bool IsOf(uint reference, ReadOnlySpan<byte> key) =>
        new OperationRef(reference).At(_segment).Key.SequenceEqual(key);

    // SAFETY: a free slot is below ten; an overflow line is allocated clear before it is linked.
    private unsafe void Append(Bucket* bucket, ushort tag, uint reference)
    {
        while (true)
        {
            var free = FreeIn(bucket);
            if (free != 0)
            {
                var slot = BitOperations.TrailingZeroCount(free);
                bucket->Tags[slot] = tag;
                Volatile.Write(ref bucket->References[slot], reference);
                return;
            }

            if (bucket->Overflow == 0) Volatile.Write(ref bucket->Overflow, _overflow.Allocate(1));
            bucket = (Bucket*)_overflow.At(bucket->Overflow);
        }
    }

    // SAFETY: the new bucket lies right behind the last; slots are below ten, and overflow lines are of the arena.
    private unsafe void Split()
    {
        var level = BitOperations.Log2((ulong)_count);
        var moving = (ushort)(1 << (level - _initialBits));
        var from = _first + (_count - (1L << level));
        var to = (Bucket*)_buckets.At(_buckets.Allocate(1)); // directly after the last: the arena has no other user
        for (var bucket = from; ; bucket = (Bucket*)_overflow.At(bucket->Overflow))
        {
            for (var leaving = HaveBit(bucket, moving) & ~FreeIn(bucket); leaving != 0; leaving &= leaving - 1)
            {
                var slot = BitOperations.TrailingZeroCount(leaving);
                Append(to, bucket->Tags[slot], bucket->References[slot]);
            }

            if (bucket->Overflow == 0) break;
        }

        Volatile.Write(ref _count, _count + 1);
        Volatile.WriteBarrier(); // before any original is cleared
        for (var bucket = from; ; bucket = (Bucket*)_overflow.At(bucket->Overflow))
        {
            for (var gone = HaveBit(bucket, moving); gone != 0; gone &= gone - 1)
                bucket->References[BitOperations.TrailingZeroCount(gone)] = 0;

            if (bucket->Overflow == 0) break;
        }
    }
}
