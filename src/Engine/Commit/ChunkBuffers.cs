using System.Numerics;
using System.Runtime.CompilerServices;
using Varve.Contract;
using Varve.Format;
using Varve.Runtime;
using Varve.Wal;

namespace Varve.Commit;

/// <summary>
/// Memory for the chunk being applied, kept between chunks so that applying allocates nothing. The parallel arrays have
/// an element for each entry of the chunk, at the entry's place in it; all but <see cref="Entries"/> are filled for new
/// entries only. Arrays that a large chunk made are dropped after it. Used under the gate.
/// </summary>
/// <remarks>
/// The table of this chunk's keys is probed a bounded number of times. A key that finds no place, by chance or because
/// an attacker knows the seed of the hashes, goes to a second table by another hash, whose seed no one else has.
/// </remarks>
internal sealed class ChunkBuffers(Action<Allocation>? allocations)
{
    private const int CapacityMin = 128;
    private const int CapacityKept = 64 << 10;
    private const int ProbesMax = 32;

    private readonly KeyHasher _overflowHasher = new(HashSeeds.Next());
    private int[] _overflow = [];
    private int _overflowed;
    private int[] _buckets = new int[16];
    private int _bucketMask;

    /// <summary>All entries of the chunk, duplicates included.</summary>
    public WireEntry[] Entries = new WireEntry[CapacityMin];

    /// <summary>Of each new entry: its position in the log and its outcome.</summary>
    public EntryPosition[] Positions = new EntryPosition[CapacityMin];

    /// <summary>Of each new entry: the hash of its key.</summary>
    public ulong[] Hashes = new ulong[CapacityMin];

    /// <summary>Of each new entry: the reference of its operation in the segment; 0: it has none.</summary>
    public OperationRef[] References = new OperationRef[CapacityMin];

    /// <summary>The references of the record's operations, in the record's order and without gaps.</summary>
    public OperationRef[] Operations = new OperationRef[CapacityMin];

    /// <summary>True if a new entry is a renewal, whose value is not in the chunk.</summary>
    public bool HasRenewals { get; set; }

    /// <summary>The number of keys of this chunk in the second table.</summary>
    public int Overflowed => _overflowed;

    /// <summary>Bytes of all arrays.</summary>
    public long Bytes => (Entries.LongLength * Unsafe.SizeOf<WireEntry>())
        + (Positions.LongLength * (Unsafe.SizeOf<EntryPosition>() + sizeof(ulong) + sizeof(uint) + sizeof(uint)))
        + ((_buckets.LongLength + _overflow.LongLength) * sizeof(int));

    /// <summary>
    /// Drops the arrays of a large chunk after it. Allocates nothing, since the record may be in the log by now.
    /// </summary>
    public void DropLarge()
    {
        if (Entries.Length > CapacityKept) Entries = [];
        if (Positions.Length <= CapacityKept) return;
        (Positions, Hashes, References, Operations, _buckets, _overflow) = ([], [], [], [], [], []);
    }

    /// <summary>Makes <see cref="Entries"/> long enough; keeps its entries.</summary>
    public void ReserveEntries(int count)
    {
        if (Entries.Length >= count) return;
        allocations?.Invoke(Allocation.Scratch);
        Array.Resize(ref Entries, CapacityFor(count));
    }

    /// <summary>
    /// Makes the arrays long enough for new entries, and empties the table of this chunk's keys.
    /// </summary>
    /// <param name="first">The first new entry.</param>
    /// <param name="count">The number of the chunk's entries.</param>
    public void Begin(int first, int count)
    {
        if (Positions.Length < count)
        {
            // All or none: a failed allocation leaves them at one length.
            var length = CapacityFor(count);
            allocations?.Invoke(Allocation.Scratch);
            var positions = new EntryPosition[length];
            allocations?.Invoke(Allocation.Scratch);
            var hashes = new ulong[length];
            var references = new OperationRef[length];
            (Positions, Hashes, References, Operations) = (positions, hashes, references, new OperationRef[length]);
        }

        var buckets = (int)BitOperations.RoundUpToPowerOf2((uint)(count - first) * 2);
        if (_buckets.Length < buckets)
        {
            allocations?.Invoke(Allocation.Scratch);
            _buckets = new int[buckets];
        }
        else
        {
            Array.Clear(_buckets, 0, buckets);
        }

        _bucketMask = buckets - 1;
        _overflowed = 0;
        HasRenewals = false;
    }

    /// <summary>
    /// The reference of this chunk's latest operation on a key, which is in <paramref name="log"/>; 0: none.
    /// </summary>
    public OperationRef FindInChunk(WalWriter log, ReadOnlySpan<byte> key, ulong hash)
    {
        var at = (int)hash & _bucketMask;
        for (var probes = 0; probes < ProbesMax; probes++, at = (at + 1) & _bucketMask)
        {
            var entry = _buckets[at] - 1;
            if (entry < 0) return default;
            if (Hashes[entry] == hash && log.OperationAt(References[entry]).Key.SequenceEqual(key))
                return References[entry];
        }

        if (_overflowed == 0) return default;
        var other = _overflow[OverflowSlot(log, key)] - 1;
        return other < 0 ? default : References[other];
    }

    /// <summary>Records that <paramref name="entry"/> has this chunk's latest operation on its key.</summary>
    public void SetInChunk(WalWriter log, int entry, ReadOnlySpan<byte> key)
    {
        var hash = Hashes[entry];
        var at = (int)hash & _bucketMask;
        for (var probes = 0; probes < ProbesMax; probes++, at = (at + 1) & _bucketMask)
        {
            var other = _buckets[at] - 1;
            if (other >= 0 && (Hashes[other] != hash || !log.OperationAt(References[other]).Key.SequenceEqual(key)))
                continue;
            _buckets[at] = entry + 1;
            return;
        }

        if (_overflowed++ == 0) BeginOverflow();
        _overflow[OverflowSlot(log, key)] = entry + 1;
    }

    private void BeginOverflow()
    {
        if (_overflow.Length < _bucketMask + 1)
        {
            allocations?.Invoke(Allocation.Scratch);
            _overflow = new int[_bucketMask + 1];
        }
        else
        {
            Array.Clear(_overflow, 0, _bucketMask + 1);
        }
    }

    /// <summary>The place of a key in the second table: the key's own, or the free one for it.</summary>
    private int OverflowSlot(WalWriter log, ReadOnlySpan<byte> key)
    {
        for (var at = (int)_overflowHasher.Of(key) & _bucketMask; ; at = (at + 1) & _bucketMask)
        {
            var entry = _overflow[at] - 1;
            if (entry < 0 || log.OperationAt(References[entry]).Key.SequenceEqual(key)) return at;
        }
    }

    /// <summary>
    /// The length of arrays for a chunk: a power of two if they are kept after it, else just what the chunk needs.
    /// </summary>
    private static int CapacityFor(int count) =>
        count > CapacityKept ? count : (int)BitOperations.RoundUpToPowerOf2((uint)Math.Max(count, CapacityMin));
}
