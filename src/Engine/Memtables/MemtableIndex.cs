using System.Runtime.CompilerServices;
using Varve.Format;
using Varve.Memory;

namespace Varve.Memtables;

/// <summary>
/// The index of a memtable: the operations of one mapped WAL segment by key, exactly (a hash directory) and in order
/// (a skiplist of blocks). Rows are references into the segment; keys and values are never copied.
/// </summary>
/// <remarks>
/// <para>A reference is an operation's offset in the segment divided by 8; 0 is none. An operation's bytes are complete
/// before its reference is inserted and do not change afterwards.</para>
/// <para>One thread at a time inserts (the caller serialises, with a barrier between two writers). Any thread reads without a
/// lock, under a pin that keeps segment and index alive. A reader that acquired a revision finds every version up to it; what is newer
/// may or may not show.</para>
/// </remarks>
internal sealed unsafe class MemtableIndex : IDisposable
{
    private const int OperationSizeMin = 24;     // header, one byte of key, padding
    private const int IndexBytesPerKeyMax = 80;  // four rows a 256-byte block at the worst, tall blocks and overflow lines on top
    private const int ReservationMin = 64 << 10;

    private readonly byte* _segment;
    private readonly Arena _arena;
    private readonly HashDirectory _directory;
    private readonly BlockList _list;
    private int _keyCount;

    /// <summary>An empty index over a mapped segment, with reservations (not memory) for as many keys as fit it.</summary>
    /// <exception cref="OutOfMemoryException">The operating system refuses the reservations: about four times the segment.</exception>
    public MemtableIndex(byte* segment, long segmentBytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(segmentBytes);
        _segment = segment;
        _arena = new Arena(segmentBytes / OperationSizeMin * IndexBytesPerKeyMax + ReservationMin);
        try
        {
            _directory = new HashDirectory(segment, segmentBytes, _arena);
        }
        catch
        {
            _arena.Dispose();
            throw;
        }

        _list = new BlockList(segment, _arena);
    }

    /// <summary>Bytes of index in use.</summary>
    public long BytesUsed => _arena.BytesUsed + _directory.BytesUsed;

    /// <summary>Distinct keys.</summary>
    public int KeyCount => Volatile.Read(ref _keyCount);

    /// <summary>The ordered half, for <see cref="MemtableCursor"/>.</summary>
    internal BlockList List => _list;

    /// <summary>Starts loading what <see cref="Find"/> and <see cref="FindVisible"/> look at first. Any thread.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Prefetch(ulong hash) => _directory.Prefetch(hash);

    /// <summary>The newest version of <paramref name="key"/> whatever its revision, or 0. For the writer.</summary>
    public uint Find(ReadOnlySpan<byte> key, ulong hash) => _directory.Find(key, hash);

    /// <summary>
    /// Enters an operation: a new row when it has no prior version, else the newest version of the row that has its prior.
    /// Writer only.
    /// </summary>
    /// <remarks><c>Prior</c> of the operation is what <see cref="Find"/> gave for its key and nothing was inserted for it since.</remarks>
    /// <exception cref="InvalidOperationException"><c>Prior</c> is not the newest version of the key.</exception>
    public void Insert(uint reference, ulong hash)
    {
        var prior = OperationAt(reference).Prior;
        if (prior != 0)
        {
            _directory.Replace(prior, reference, hash);
            _list.Replace(prior, reference);
            return;
        }

        _list.Add(reference);
        _directory.Add(reference, hash);
        Volatile.Write(ref _keyCount, _keyCount + 1);
    }

    /// <summary>The newest version of <paramref name="key"/> that <paramref name="revision"/> sees, or 0. Any thread.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public uint FindVisible(ReadOnlySpan<byte> key, ulong hash, ulong revision) => Visible(_directory.Find(key, hash), revision);

    /// <summary>From a row's reference back to the newest version that <paramref name="revision"/> sees; 0: none.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public uint Visible(uint reference, ulong revision)
    {
        while (reference != 0 && OperationAt(reference).Index > revision) reference = OperationAt(reference).Prior;
        return reference;
    }

    /// <summary>The operation that <paramref name="reference"/> names, in the segment.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public WalOperationView OperationAt(uint reference) => new(_segment + (ulong)reference * WalOperation.Alignment);

    /// <summary>Frees the index. The caller knows that nobody reads any more.</summary>
    public void Dispose()
    {
        _directory.Dispose();
        _arena.Dispose();
    }
}
