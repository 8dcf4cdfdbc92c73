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

    /// <summary>An empty index over a mapped segment, in clear memory for a segment of its length.</summary>
    // SAFETY: the caller owns segment and memory, and keeps both longer than the index.
    public unsafe MemtableIndex(byte* segment, IndexMemory memory)
    {
        _segment = segment;
        Memory = memory;
        _directory = new HashDirectory(segment, memory);
        _list = new BlockList(segment, memory.Lines);
    }

    /// <summary>What it lives in; for the owner to take back when nobody reads any more.</summary>
    public IndexMemory Memory { get; }

    /// <summary>Bytes of index in use.</summary>
    public long BytesUsed => Memory.BytesUsed;

    /// <summary>Whether its memory has room for so many operations more, new keys all of them.</summary>
    public bool HasRoomFor(int operations) => Memory.HasRoomFor(operations);

    /// <summary>Distinct keys.</summary>
    public int KeyCount => Volatile.Read(ref _keyCount);

    /// <summary>The ordered half, for <see cref="MemtableCursor"/> and <see cref="IndexBuild"/>.</summary>
    internal BlockList List => _list;

    /// <summary>
    /// Starts loading what <see cref="Find"/> and <see cref="FindVisible"/> look at first. Any thread.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Prefetch(ulong hash) => _directory.Prefetch(hash);

    /// <summary>The newest version of <paramref name="key"/> whatever its revision, or none. For the writer.</summary>
    public OperationRef Find(ReadOnlySpan<byte> key, ulong hash) => new(_directory.Find(key, hash));

    /// <summary>
    /// Enters one operation: a new row when it has no prior version, else the newest version of the row that has its
    /// prior. Writer only. A chunk is cheaper through <see cref="InsertExact"/> and <see cref="InsertOrdered"/>.
    /// </summary>
    /// <remarks>
    /// <c>Prior</c> of the operation is what <see cref="Find"/> gave for its key and nothing was inserted for it since.
    /// </remarks>
    /// <exception cref="InvalidOperationException"><c>Prior</c> is not the newest version of the key.</exception>
    public void Insert(OperationRef reference, ulong hash)
    {
        InsertExact(reference, hash);
        _list.Insert(reference.Value);
    }

    /// <summary>Makes room for so many keys at once in an index that is empty and that nobody reads yet.</summary>
    public void Reserve(long keys) => _directory.Reserve(keys);

    /// <summary>
    /// The first half of <see cref="Insert"/>: <see cref="Find"/> and <see cref="FindVisible"/> know the operation,
    /// cursors do not yet. Writer only; <see cref="InsertOrdered"/> must follow before a revision that sees the
    /// operation is published.
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
    /// The second half of <see cref="Insert"/> for all of a chunk's operations, in the order in which the first half
    /// was done: their searches run side by side, so that they wait for memory together. Writer only.
    /// </summary>
    public void InsertOrdered(ReadOnlySpan<OperationRef> references) =>
        _list.InsertAll(references);

    /// <summary>
    /// Finds ahead where the row of a single key is to be, so that the memory that <see cref="InsertOrderedAt"/> needs
    /// is loaded while the key is being logged. Changes nothing. Writer only.
    /// </summary>
    public BlockList.Place Locate(ReadOnlySpan<byte> key) => _list.Locate(key);

    /// <summary>A while after <see cref="Locate"/>: starts loading what is looked at if the place is full.</summary>
    public void PrefetchForSplit(BlockList.Place place) => _list.PrefetchForSplit(place);

    /// <summary>As <see cref="InsertOrdered"/> for one operation whose place was found ahead. Writer only.</summary>
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
    /// Makes the memory for about <paramref name="keys"/> keys present. For the thread that prepares segments: a page
    /// fault costs the writer as much as ten inserts, and every hundredth insert would meet one. Any thread, also
    /// beside the writer.
    /// </summary>
    public void Populate(long keys) => Memory.Populate(keys);
}
