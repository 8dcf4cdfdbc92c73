using System.Numerics;
using System.Runtime.CompilerServices;
using Varve.Contract;
using Varve.Format;
using Varve.Memory;
using Varve.Wal;

namespace Varve.Commit;

/// <summary>
/// Room for the chunk being applied, kept between chunks so that applying allocates nothing: decoded entries, then one
/// element a new entry in each of the parallel arrays. What a large chunk took is given back after it. Used under the
/// engine's gate.
/// </summary>
/// <remarks>
/// The table of this chunk's keys is probed a bounded number of times: what does not find its place then, by chance or
/// by somebody who knows the seed of the hashes, goes to a second table by another hash, whose seed is this object's
/// own.
/// </remarks>
internal sealed class ChunkBuffers(Action<Allocation>? allocations)
{
    private const int DecodeAhead = 2048;

    private const int CapacityMin = 128;
    private const int CapacityKept = 64 << 10;
    private const int ProbesMax = 32;

    private readonly KeyHasher _overflowHasher = new(KeyHasher.NewSeed());
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

    /// <summary>Of each new entry: its operation in the segment, 0 where it has none.</summary>
    public uint[] References = new uint[CapacityMin];

    /// <summary>How many notes of this chunk went to the second table.</summary>
    public int Overflowed => _overflowed;

    /// <summary>Bytes that it takes.</summary>
    public long Bytes => (Entries.LongLength * Unsafe.SizeOf<WireEntry>())
        + (Positions.LongLength * (Unsafe.SizeOf<EntryPosition>() + sizeof(ulong) + sizeof(uint)))
        + ((_buckets.LongLength + _overflow.LongLength) * sizeof(int));

    /// <summary>
    /// After a chunk: gives back what only a large one needs. Allocates nothing, for it may follow a seal.
    /// </summary>
    public void Trim()
    {
        if (Entries.Length > CapacityKept) Entries = [];
        if (Positions.Length <= CapacityKept) return;
        (Positions, Hashes, References, _buckets, _overflow) = ([], [], [], [], []);
    }

    /// <summary>
    /// Decodes a chunk whole; throws <see cref="ArgumentException"/> naming the byte where it is not one.
    /// </summary>
    public int Decode(ReadOnlySpan<byte> chunk)
    {
        var reader = new ChunkReader(chunk);
        var count = 0;
        var asked = 0;
        while (true)
        {
            // An entry says where the next one begins, so their heads would be waited for one by one.
            var wanted = Math.Min(chunk.Length, reader.Position + DecodeAhead);
            asked = Math.Max(asked, reader.Position);
            if (wanted > asked) Prefetch.Span(chunk[asked..wanted]);
            asked = Math.Max(asked, wanted);
            // Once a chunk: the end is read into one too.
            if (count == Entries.Length) GrowEntries(count + reader.CountAhead() + 1);
            if (!reader.TryRead(out Entries[count])) break;
            count++;
        }

        if (!reader.AtEnd)
            throw new ArgumentException(
                $"The chunk is malformed at byte {reader.Error.Offset}: {reader.Error.Reason}.",
                WireSource.ParameterName);
        return count;
    }

    /// <summary>
    /// Takes over the heads of a chunk of commands. False if some of their bytes are reached through code of the
    /// user's, a <see cref="System.Buffers.MemoryManager{T}"/>, which does not run under the gate.
    /// </summary>
    public bool TryTake(ReadOnlySpan<ApplyEntry> chunk)
    {
        if (Entries.Length < chunk.Length) GrowEntries(chunk.Length);
        for (var i = 0; i < chunk.Length; i++)
        {
            ref readonly var entry = ref chunk[i];
            if (entry.Command.Kind > CommandKind.CompareAndSwap)
                throw new ArgumentException($"Entry {i} of the chunk has no known command.", nameof(chunk));
            if (!entry.Command.IsInArrays) return false;
            Entries[i] = new WireEntry
            {
                Index = entry.Index,
                Term = entry.Term,
                TimestampMs = entry.TimestampMs,
                TtlSeconds = entry.Command.TtlSeconds,
                Kind = entry.Command.Kind,
                KeyLength = entry.Command.Key.Length,
                ValueLength = entry.Command.Value.Length,
            };
        }

        return true;
    }

    /// <summary>Readies the parallel arrays for new entries, and the table of keys of this chunk.</summary>
    public void Begin(int count)
    {
        if (Positions.Length < count)
        {
            // All or none: an allocation that fails leaves them of one length.
            var length = CapacityFor(count);
            allocations?.Invoke(Allocation.Scratch);
            var positions = new EntryPosition[length];
            allocations?.Invoke(Allocation.Scratch);
            var hashes = new ulong[length];
            (Positions, Hashes, References) = (positions, hashes, new uint[length]);
        }

        var buckets = (int)BitOperations.RoundUpToPowerOf2((uint)count * 2);
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
    }

    /// <summary>The latest operation of this chunk on a key, which is in <paramref name="log"/>; 0: none.</summary>
    public uint FindInChunk(WalWriter log, ReadOnlySpan<byte> key, ulong hash)
    {
        var at = (int)hash & _bucketMask;
        for (var probes = 0; probes < ProbesMax; probes++, at = (at + 1) & _bucketMask)
        {
            var entry = _buckets[at] - 1;
            if (entry < 0) return 0;
            if (Hashes[entry] == hash && log.OperationAt(References[entry]).Key.SequenceEqual(key))
                return References[entry];
        }

        if (_overflowed == 0) return 0;
        var other = _overflow[OverflowSlot(log, key)] - 1;
        return other < 0 ? 0 : References[other];
    }

    /// <summary>Notes that new entry <paramref name="entry"/> has the latest operation on its key.</summary>
    public void NoteInChunk(WalWriter log, int entry, ReadOnlySpan<byte> key)
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

    /// <summary>Where in the second table a key is, or is to be.</summary>
    private int OverflowSlot(WalWriter log, ReadOnlySpan<byte> key)
    {
        for (var at = (int)_overflowHasher.Of(key) & _bucketMask; ; at = (at + 1) & _bucketMask)
        {
            var entry = _overflow[at] - 1;
            if (entry < 0 || log.OperationAt(References[entry]).Key.SequenceEqual(key)) return at;
        }
    }

    private void GrowEntries(int count)
    {
        allocations?.Invoke(Allocation.Scratch);
        Array.Resize(ref Entries, CapacityFor(count));
    }

    /// <summary>
    /// Room that is kept grows in powers of two; what is given back after the chunk is as large as the chunk needs.
    /// </summary>
    private static int CapacityFor(int count) =>
        count > CapacityKept ? count : (int)BitOperations.RoundUpToPowerOf2((uint)Math.Max(count, CapacityMin));
}
