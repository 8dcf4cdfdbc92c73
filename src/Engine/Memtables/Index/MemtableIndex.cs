using System.Runtime.CompilerServices;
using Varve.Format;

namespace Varve.Memtables;

/// <summary>
/// The index of a memtable: the operations of one mapped WAL segment by key, exactly (a hash directory) and in order
/// (a skiplist of blocks). Rows are references into the segment; keys and values are never copied.
/// </summary>
/// <remarks>
/// <para>A row is the word of an <see cref="OperationRef"/>. An operation's bytes are complete before its reference is
/// inserted and do not change afterwards.</para>
/// <para>One thread at a time inserts (the caller serialises, with a barrier between two writers). Any thread reads
/// without a lock, under a pin that keeps segment and index alive. A reader that acquired a revision finds every
/// version up to it; what is newer may or may not show.</para>
/// </remarks>
internal sealed class MemtableIndex
{
    // SAFETY: the start of the mapped segment, which the memtable keeps mapped longer than its index.
    private readonly unsafe byte* _segment;
    private readonly HashDirectory _directory;
    private readonly BlockList _list;
    private int _keyCount;

    /// <summary>Creates an empty index over a mapped segment, in clear memory for its length.</summary>
    // SAFETY: the caller owns segment and memory, and keeps both longer than the index.
    public unsafe MemtableIndex(byte* segment, IndexMemory memory)
    {
        _segment = segment;
        Memory = memory;
        _directory = new HashDirectory(segment, memory);
        _list = new BlockList(segment, memory.Lines);
    }

    /// <summary>Its memory, which the owner recycles once no reader is left.</summary>
    public IndexMemory Memory { get; }

    /// <summary>Bytes of index in use.</summary>
    public long BytesUsed => Memory.BytesUsed;

    /// <summary>True if its memory has room for a number of operations more, if all are of new keys.</summary>
    public bool HasRoomFor(int operations) => Memory.HasRoomFor(operations);

    /// <summary>Distinct keys.</summary>
    public int KeyCount => Volatile.Read(ref _keyCount);

    /// <summary>
    /// Keys whose newest operation is a leased put; of a replayed segment, about. Written by the thread that inserts.
    /// </summary>
    public long Leases { get; private set; }

    /// <summary>Counts an operation that replaces a key's newest one, leased or not.</summary>
    public void CountLease(RecordKind kind, bool isPriorLeased)
    {
        if (kind == RecordKind.LeasedPut) Leases++;
        if (isPriorLeased && Leases > 0) Leases--;
    }

    /// <summary>The ordered half, for <see cref="MemtableCursor"/> and <see cref="IndexBuild"/>.</summary>
    internal BlockList List => _list;

    /// <summary>
    /// Prefetches what <see cref="Find"/> and <see cref="FindVisible"/> read first. Any thread.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Prefetch(ulong hash) => _directory.Prefetch(hash);

    /// <summary>The newest version of <paramref name="key"/> whatever its revision, or none. For the writer.</summary>
    public OperationRef Find(ReadOnlySpan<byte> key, ulong hash) => new(_directory.Find(key, hash));

    /// <summary>
    /// Inserts an operation: as a new row if it has no prior version, otherwise as the newest version of the row that
    /// has the prior version. Writer only. A chunk is cheaper through <see cref="InsertExact"/> and
    /// <see cref="InsertOrdered"/>.
    /// </summary>
    /// <remarks>
    /// The operation's <c>Prior</c> is the result of <see cref="Find"/> for its key, with no insert of the key since.
    /// </remarks>
    /// <exception cref="InvalidOperationException"><c>Prior</c> is not the newest version of the key.</exception>
    public void Insert(OperationRef reference, ulong hash)
    {
        InsertExact(reference, hash);
        _list.Insert(reference.Value);
    }

    /// <summary>Makes room for a number of keys in an empty index that has no reader yet.</summary>
    public void Reserve(long keys) => _directory.Reserve(keys);

    /// <summary>
    /// The first half of <see cref="Insert"/>: <see cref="Find"/> and <see cref="FindVisible"/> show the operation from
    /// here on, cursors do not yet. Writer only; <see cref="InsertOrdered"/> must follow before a revision that sees
    /// the operation is published.
    /// </summary>
    /// <exception cref="InvalidOperationException"><c>Prior</c> is not the newest version of the key.</exception>
    public void InsertExact(OperationRef reference, ulong hash)
    {
        var prior = OperationAt(reference).Prior;
        if (!prior.IsNone)
        {
            _directory.Replace(prior.Value, reference.Value, hash);
            return;
        }

        _directory.Add(reference.Value, hash);
        Volatile.Write(ref _keyCount, _keyCount + 1);
    }

    /// <summary>
    /// The second half of <see cref="Insert"/> for all of a chunk's operations, in the order of the first half. Their
    /// searches run side by side, so that their cache misses overlap. Writer only.
    /// </summary>
    public void InsertOrdered(ReadOnlySpan<OperationRef> references) =>
        _list.InsertAll(references);

    /// <summary>
    /// Finds the place of a single key's row, so that the memory that <see cref="InsertOrderedAt"/> reads is loaded
    /// while the operation is logged. Changes nothing. Writer only.
    /// </summary>
    public BlockList.Place Locate(ReadOnlySpan<byte> key) => _list.Locate(key);

    /// <summary>For some time after <see cref="Locate"/>: prefetches what a split reads if the place is full.</summary>
    public void PrefetchForSplit(BlockList.Place place) => _list.PrefetchForSplit(place);

    /// <summary>The second half of <see cref="Insert"/> for an operation whose place is known. Writer only.</summary>
    public void InsertOrderedAt(BlockList.Place place, OperationRef reference) =>
        _list.InsertAt(place, reference.Value);

    /// <summary>
    /// The newest version of <paramref name="key"/> that <paramref name="revision"/> sees, or none. Any thread.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public OperationRef FindVisible(ReadOnlySpan<byte> key, ulong hash, ulong revision) =>
        Visible(new OperationRef(_directory.Find(key, hash)), revision);

    /// <summary>
    /// From a row's reference back to the newest version that <paramref name="revision"/> sees, or none.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public OperationRef Visible(OperationRef reference, ulong revision)
    {
        while (!reference.IsNone && OperationAt(reference).Index > revision) reference = OperationAt(reference).Prior;
        return reference;
    }

    /// <summary>The operation that <paramref name="reference"/> names, in the segment.</summary>
    // SAFETY: a reference that the index gives names a finished operation of the segment; the caller has a pin.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public unsafe WalOperationView OperationAt(OperationRef reference) => reference.At(_segment);

    /// <summary>
    /// Makes the memory for about <paramref name="keys"/> keys present: a page fault costs the writer as much as ten
    /// inserts, and every hundredth insert would meet one. Any thread, also beside the writer.
    /// </summary>
    public void Populate(long keys) => Memory.Populate(keys);
}
