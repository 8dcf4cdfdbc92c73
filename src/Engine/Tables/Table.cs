using System.Runtime.CompilerServices;
using Varve.Contract;
using Varve.Format;
using Varve.Storage;

namespace Varve.Tables;

/// <summary>
/// An immutable sorted table, mapped. Any thread may read; disposing unmaps, so only when no pin can see the table.
/// <para>
/// What may be trusted, and since when: the footer and the regions since <see cref="Open"/>, which checks their
/// checksums and shapes; a data block since its first touch in this mapping, which does the same for it. A bit a block
/// remembers that, unless the table is paranoid: then every touch checks. Rows, separators and heads can still be in a
/// wrong order if an enemy computed the checksums: that gives wrong answers, never a read out of bounds, and
/// <see cref="Verify"/> finds it.
/// </para>
/// <para>
/// A block is ready, to be touched without more ado, once it is checked. Where pages have to be seen in memory first
/// (<see cref="TableResidency"/>) none ever is, so that a table without that asks nothing but what it asked before.
/// </para>
/// </summary>
internal sealed unsafe partial class Table : IDisposable
{
    private readonly IStorage _storage;
    private readonly IMapping _mapping;
    private readonly byte* _data;
    private readonly TableFooter _footer;
    private readonly ulong _salt;
    private readonly bool _paranoid;
    private readonly byte[] _smallestKey;
    private readonly byte[] _largestKey;
    private readonly int _sharedBytes;
    private readonly ulong _smallestHead;
    private readonly ulong _headsBetween;
    private readonly BlockShortcut _shortcut;
    private readonly byte* _filter;
    private readonly ulong _filterLines;
    private readonly TableIndexReader _index;
    private readonly ulong[] _checkedBlocks;
    private readonly ulong[] _readyBlocks;
    private readonly TableResidency? _residency;
    private int _disposed;

    public string Path { get; }

    public TableDescriptor Descriptor { get; }

    public TableProperties Properties { get; }

    public int BlockCount => _index.BlockCount;

    /// <summary>What the hashes of its keys are made with.</summary>
    public ulong HashSeed => _footer.HashSeed;

    /// <summary>False when the key of a hash is certainly not in the table.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool MayContain(ulong hash) =>
        _filterLines == 0
        || TableFilter.LineMayContain(ref *(_filter + TableFilter.LineOffset(hash, _filterLines)), hash);

    /// <summary>Asks for the cache line that <see cref="MayContain"/> will read.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void PrefetchFilter(ulong hash)
    {
        if (_filterLines != 0) Memory.Prefetch.Line(_filter + TableFilter.LineOffset(hash, _filterLines));
    }

    /// <summary>The row of a key, whatever its kind; none where there is none.</summary>
    /// <param name="key">The key.</param>
    /// <param name="hash"><see cref="KeyHasher.Of"/> of the key, with <see cref="HashSeed"/>.</param>
    /// <exception cref="CorruptionException">The block that would hold the key is damaged.</exception>
    public KeyVersion Find(ReadOnlySpan<byte> key, ulong hash) => MayContain(hash) ? FindUnfiltered(key, hash) : default;

    /// <summary>As <see cref="Find"/>, for one who has asked <see cref="MayContain"/> already.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public KeyVersion FindUnfiltered(ReadOnlySpan<byte> key, ulong hash)
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
    /// Checks that its hashes are made with the seed of the state that it belongs to: with another its filter would
    /// deny keys that are there.
    /// </summary>
    /// <exception cref="CorruptionException">They are not.</exception>
    public void EnsureSeed(ulong hashSeed)
    {
        if (SeedFault(hashSeed) is { } fault) throw fault;
    }

    /// <summary>As <see cref="EnsureSeed"/>, but gives what is wrong, or null.</summary>
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

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0) return;
        _mapping.Dispose();
        _residency?.Dispose();
    }

    /// <summary>Bytes of the file as they are mapped, also of one that has lost its name since.</summary>
    internal ReadOnlySpan<byte> Bytes(long offset, int length) => new(_mapping.Address + offset, length);

    internal ReadOnlySpan<byte> LeaseRegion => new(_data + _footer.Leases.Offset, (int)_footer.Leases.Length);

    internal ReadOnlySpan<byte> SmallestKey => _smallestKey;

    internal ReadOnlySpan<byte> LargestKey => _largestKey;

    /// <summary>Asks for all the lines that a search over a block's heads reads, so that they come together.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal void PrefetchHeads(int number)
    {
        var block = _data + _index.BlockOffset(number);
        Memory.Prefetch.Line(_index.Line(number));
        for (var line = 0; line <= DataBlockHeader.RowsMax * sizeof(ulong); line += DataBlockHeader.Alignment)
            Memory.Prefetch.Line(block + DataBlockHeader.HeadsOffset + line);
    }

    /// <summary>A block, ready.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal DataBlockView Block(int number)
    {
        EnsureReady(number);
        return new DataBlockView(_index.Line(number), _data + _index.BlockOffset(number));
    }

    /// <summary>
    /// A block, ready, for a walk that can come to the blocks from <paramref name="least"/> to <paramref name="most"/>.
    /// </summary>
    internal DataBlockView Block(int number, int least, int most, ref BlockWindow window)
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

    /// <summary>What is wrong with a block, or null.</summary>
    private VarveException? FaultOf(int number)
    {
        var offset = _index.BlockOffset(number);
        var extent = (int)(_index.BlockOffset(number + 1) - offset);
        if (!DataBlock.TryValidate(
            new ReadOnlySpan<byte>(_data + offset, extent), _salt, offset, out DecodeError error))
            return DecodeFailure.Of(Path, offset, "data block", error with { Offset = 0 });
        return new ReadOnlySpan<byte>(_index.Line(number), DataBlockHeader.HeadsOffset).SequenceEqual(
            new ReadOnlySpan<byte>(_data + offset, DataBlockHeader.HeadsOffset))
            ? null
            : CorruptionException.Of(Path, offset, "data block", "first line is not the copy of it in the index");
    }

    /// <summary>The block that holds a key if any does; -1 for a key outside of the table's range.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal int BlockOf(ReadOnlySpan<byte> key)
    {
        if (_sharedBytes == 0 || SharesBytes(key))
        {
            var distance = KeyHead.Of(key, _sharedBytes) - _smallestHead;
            if (distance - 1 < _headsBetween)
            {
                var number = _shortcut.Find(distance);
                return number >= 0 ? number : _index.Find(key);
            }
        }
        return IsInRange(key) ? _index.Find(key) : -1;
    }

    private bool SharesBytes(ReadOnlySpan<byte> key) => key.StartsWith(_smallestKey.AsSpan(0, _sharedBytes));

    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool IsInRange(ReadOnlySpan<byte> key) =>
        key.SequenceCompareTo(_smallestKey) >= 0 && key.SequenceCompareTo(_largestKey) <= 0;
}
