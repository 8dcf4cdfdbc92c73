using System.Runtime.CompilerServices;
using Varve.Contract;
using Varve.Format;
using Varve.Storage;

namespace Varve.Tables;

/// <summary>
/// An immutable, sorted, mapped table. Any thread may read. Disposal unmaps it, so the caller waits until no pin can
/// see the table (I8).
/// <para>
/// <b>Trust.</b> <see cref="Open"/> checks checksum and shape of the footer and the regions. The first touch of a data
/// block in this mapping checks the block, and a bit a block remembers that; a paranoid table checks at every touch.
/// After these checks no byte of the file leads to a read out of bounds. Rows, separators and heads may still be in a
/// wrong order if an attacker computed the checksums: that gives wrong answers, and <see cref="Verify"/> finds it.
/// </para>
/// <para>
/// <b>Ready blocks.</b> <c>Mapped</c>: a block is ready once it was verified. <c>Probed</c>: no block ever is, since
/// every access checks residency first (<see cref="TableResidency"/>). So both tests are one bit.
/// </para>
/// </summary>
internal sealed partial class Table : IDisposable
{
    private readonly IStorage _storage;
    private readonly IMapping _mapping;
    private readonly TableFooter _footer;
    private readonly ulong _salt;
    private readonly bool _paranoid;
    private readonly byte[] _smallestKey;
    private readonly byte[] _largestKey;
    private readonly int _prefixLength;
    private readonly ulong _smallestHead;
    private readonly ulong _headsBetween;
    private readonly BlockShortcut _shortcut;
    private readonly ulong _filterLines;
    private readonly TableIndexReader _index;
    private readonly ulong[] _checkedBlocks;
    private readonly ulong[] _readyBlocks;
    private readonly TableResidency? _residency;
    private int _disposed;

    // SAFETY: these members point into the mapping, which lives until this table is disposed (I8). Open has checked
    // that the filter's region is inside, and the index was validated with every block offset before it was used.
    private readonly unsafe byte* _data;
    private readonly unsafe byte* _filter;

    public string Path { get; }

    public TableDescriptor Descriptor { get; }

    public TableProperties Properties { get; }

    public int BlockCount => _index.BlockCount;

    /// <summary>The seed of its key hashes.</summary>
    public ulong HashSeed => _footer.HashSeed;

    /// <summary>False if the key of a hash is certainly not in the table.</summary>
    // SAFETY: the line's offset is below the number of lines in the filter's region.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public unsafe bool MayContain(ulong hash) =>
        _filterLines == 0
        || TableFilter.LineMayContain(ref *(_filter + TableFilter.LineOffset(hash, _filterLines)), hash);

    /// <summary>Prefetches the cache line that <see cref="MayContain"/> reads.</summary>
    // SAFETY: nothing is read; a prefetch never faults.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public unsafe void PrefetchFilter(ulong hash)
    {
        if (_filterLines != 0) Memory.Prefetch.Line(_filter + TableFilter.LineOffset(hash, _filterLines));
    }

    /// <summary>The row of a key, of whatever kind; the default value if there is none.</summary>
    /// <param name="key">The key.</param>
    /// <param name="hash"><see cref="KeyHasher.Of"/> of the key, with <see cref="HashSeed"/>.</param>
    /// <exception cref="CorruptionException">The block that would hold the key is damaged.</exception>
    public KeyVersion Find(ReadOnlySpan<byte> key, ulong hash) =>
        MayContain(hash) ? FindUnfiltered(key, hash) : default;

    /// <summary>
    /// Finds a key like <see cref="Find"/>, for a caller that has already asked <see cref="MayContain"/>.
    /// </summary>
    // SAFETY: the index gives only blocks of the table, and the block is checked before it is read.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public unsafe KeyVersion FindUnfiltered(ReadOnlySpan<byte> key, ulong hash)
    {
        var number = BlockOf(key);
        if (number < 0) return default;
        var line = _index.Line(number);
        var candidates = DataBlockView.Candidates(line, hash);
        if (candidates == 0) return default;
        EnsureReady(number);
        return DataBlockView.Find(line, _data + _index.BlockOffset(number), key, candidates);
    }

    /// <summary>
    /// Checks that the table has the hash seed of the state that it belongs to. With another seed its filter would deny
    /// keys that are in it.
    /// </summary>
    /// <exception cref="CorruptionException">The table has another seed.</exception>
    public void EnsureSeed(ulong hashSeed)
    {
        if (SeedFault(hashSeed) is { } fault) throw fault;
    }

    /// <summary>The damage that <see cref="EnsureSeed"/> throws, or null.</summary>
    public CorruptionException? SeedFault(ulong hashSeed) => HashSeed == hashSeed
        ? null
        : CorruptionException.Of(
            Path, _footer.Offset + TableFooter.SeedOffset, "table hash seed", "seed is not that of the machine state");

    /// <summary>
    /// The leases with <paramref name="from"/> &lt; deadline &lt;= <paramref name="to"/>, by deadline.
    /// </summary>
    public LeaseCursor Leases(ulong from, ulong to)
    {
        var leases = LeaseRegion;
        var begin = TableLeases.CountUpTo(leases, from);
        return new LeaseCursor(this, begin, Math.Max(begin, TableLeases.CountUpTo(leases, to)));
    }

    /// <summary>The number of leases with a later deadline.</summary>
    public int CountLeasesAfter(ulong deadline) =>
        (LeaseRegion.Length / TableLeases.EntryBytes) - TableLeases.CountUpTo(LeaseRegion, deadline);

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0) return;
        _mapping.Dispose();
        _residency?.Dispose();
    }

    // SAFETY: these members show ranges that the callers, or Open, checked against the mapped length.

    /// <summary>Bytes of the file as it is mapped, also if the file has lost its name since.</summary>
    internal unsafe ReadOnlySpan<byte> Bytes(long offset, int length) => new(_mapping.Address + offset, length);

    internal unsafe ReadOnlySpan<byte> LeaseRegion => new(_data + _footer.Leases.Offset, (int)_footer.Leases.Length);

    internal ReadOnlySpan<byte> SmallestKey => _smallestKey;

    internal ReadOnlySpan<byte> LargestKey => _largestKey;

    /// <summary>
    /// Prefetches all lines that a search over a block's heads reads, so that they are loaded together.
    /// </summary>
    // SAFETY: the index gives offsets inside the mapping; nothing is read, and a prefetch never faults.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal unsafe void PrefetchHeads(int number)
    {
        var block = _data + _index.BlockOffset(number);
        Memory.Prefetch.Line(_index.Line(number));
        for (var line = 0; line <= DataBlockHeader.RowsMax * sizeof(ulong); line += DataBlockHeader.Alignment)
            Memory.Prefetch.Line(block + DataBlockHeader.HeadsOffset + line);
    }

    /// <summary>A block that is checked and may be read.</summary>
    // SAFETY: the view's line and block are those of one block, which was checked before.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal unsafe DataBlockView Block(int number)
    {
        EnsureReady(number);
        return new DataBlockView(_index.Line(number), _data + _index.BlockOffset(number));
    }

    /// <summary>
    /// A block that may be read, for a walk over the blocks from <paramref name="least"/> to <paramref name="most"/>.
    /// </summary>
    // SAFETY: the view's line and block are those of one block, which was checked before.
    internal unsafe DataBlockView Block(int number, int least, int most, ref BlockWindow window)
    {
        if (_residency is null) return Block(number);
        if (!window.Contains(number)) window.MoveTo(number, least, most, _residency, _index);
        CheckOnce(number);
        return new DataBlockView(_index.Line(number), _data + _index.BlockOffset(number));
    }

    internal CorruptionException LeaseMismatch(TableLease lease) =>
        new(Path, _index.BlockOffset((int)lease.Block), "data block (the lease that the table's leases name)");

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void EnsureReady(int number)
    {
        if ((Volatile.Read(ref _readyBlocks[number >> 6]) >> number & 1) == 0) MakeReady(number);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void MakeReady(int number)
    {
        _residency?.Ensure(_index.BlockOffset(number), _index.BlockOffset(number + 1) - _index.BlockOffset(number));
        CheckOnce(number);
    }

    private void CheckOnce(int number)
    {
        if ((Volatile.Read(ref _checkedBlocks[number >> 6]) >> number & 1) != 0) return;
        if (FaultOf(number) is { } fault) throw fault;
        if (!_paranoid) Interlocked.Or(ref _checkedBlocks[number >> 6], 1UL << number);
    }

    /// <summary>The damage of a block, or null.</summary>
    // SAFETY: the validated index gives offsets and lines inside the mapping.
    private unsafe VarveException? FaultOf(int number)
    {
        var offset = _index.BlockOffset(number);
        var extent = (int)(_index.BlockOffset(number + 1) - offset);
        if (!DataBlock.TryValidate(
            new ReadOnlySpan<byte>(_data + offset, extent), _salt, offset, out DecodeError error))
            return DecodeFailure.Of(Path, offset, CorruptionKind.DataBlock, error with { Offset = 0 });
        return new ReadOnlySpan<byte>(_index.Line(number), DataBlockHeader.HeadsOffset).SequenceEqual(
            new ReadOnlySpan<byte>(_data + offset, DataBlockHeader.HeadsOffset))
            ? null
            : CorruptionException.Of(
                Path, offset, CorruptionKind.DataBlock, "first line is not the copy of it in the index");
    }

    /// <summary>The only block that can hold a key; -1 for a key outside of the table's range.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal int BlockOf(ReadOnlySpan<byte> key)
    {
        if (_prefixLength == 0 || HasPrefix(key))
        {
            var distance = KeyHead.Of(key, _prefixLength) - _smallestHead;
            if (distance - 1 < _headsBetween)
            {
                var number = _shortcut.Find(distance);
                return number >= 0 ? number : _index.Find(key);
            }
        }
        return IsInRange(key) ? _index.Find(key) : -1;
    }

    private bool HasPrefix(ReadOnlySpan<byte> key) => key.StartsWith(_smallestKey.AsSpan(0, _prefixLength));

    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool IsInRange(ReadOnlySpan<byte> key) =>
        key.SequenceCompareTo(_smallestKey) >= 0 && key.SequenceCompareTo(_largestKey) <= 0;
}
