using System.Runtime.CompilerServices;
using Varve.Format;
using Varve.Memory;

namespace Varve.Iterators;

/// <summary>
/// One sorted input of a merge: a memtable at a revision, or a run. Positioned on a row or not valid. Key and value
/// memory lives until the source moves, and under the pin or reference that covers the version.
/// </summary>
internal abstract unsafe class MergeInput
{
    /// <summary>The row's key; valid sources only.</summary>
    protected byte* KeyAddress { get; set; }

    public int KeyLength { get; protected set; }

    protected byte* ValueAddress { get; set; }

    protected int ValueLength { get; set; }

    public RecordKind Kind { get; protected set; }

    /// <summary>
    /// Eight key bytes after those that all keys of the scan share, big endian, zero padded: most comparisons end here.
    /// </summary>
    public ulong Head { get; protected set; }

    public bool IsValid { get; protected set; }

    /// <summary>Bytes that all keys of the scan share.</summary>
    protected int Shared { get; set; }

    /// <summary>No other source has a row: nobody will ask for the head.</summary>
    public bool IsAlone { get; set; }

    public ReadOnlySpan<byte> Key => new(KeyAddress, KeyLength);

    public ReadOnlySpan<byte> Value => new(ValueAddress, ValueLength);

    /// <summary>
    /// Unix milliseconds; 0 unless the row is a leased put, whose value it follows in memtables and tables alike.
    /// </summary>
    public ulong Deadline => Kind == RecordKind.LeasedPut ? Unsafe.ReadUnaligned<ulong>(ValueAddress + ValueLength) : 0;

    /// <summary>
    /// Prepares a scan: its direction, the limit where it ends (the first key that is no longer in it, or backward the
    /// last one that is; no bytes: none), and how many bytes all its keys share.
    /// </summary>
    public abstract void Begin(bool backward, FixedBytes limit, int shared);

    /// <summary>Starts loading what a seek will wait for, so that several sources wait together.</summary>
    public virtual void Prepare(ReadOnlySpan<byte> key)
    {
    }

    public abstract void SeekFirst();

    public abstract void SeekLast();

    /// <summary>
    /// Goes to the first row at or above a key; the one that was last given to <see cref="Prepare"/>.
    /// </summary>
    public abstract void Seek(ReadOnlySpan<byte> key);

    /// <summary>Goes to the last row below a key; the one that was last given to <see cref="Prepare"/>.</summary>
    public abstract void SeekBefore(ReadOnlySpan<byte> key);

    /// <summary>
    /// The last part of a seek: reads the row that the seek asked for. Several sources seek before the first one reads.
    /// </summary>
    public abstract void Arrive();

    /// <summary>Goes one row further in the scan's direction.</summary>
    public abstract void Step();

    /// <summary>Unsigned byte order of the two rows' keys, both of one scan.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int CompareTo(MergeInput other) =>
        Head != other.Head ? Head < other.Head ? -1 : 1 : CompareBehindHeadTo(other);

    /// <summary>
    /// The eight key bytes behind the head, as it has them; not from <see cref="Key"/> where that was only just put
    /// together.
    /// </summary>
    protected abstract ulong HeadBehindHead();

    private int CompareBehindHeadTo(MergeInput other)
    {
        if (Math.Max(KeyLength, other.KeyLength) - Shared > 2 * KeyHead.Bytes) return Key.SequenceCompareTo(other.Key);
        ulong mine = HeadBehindHead(), theirs = other.HeadBehindHead();
        return mine != theirs ? mine < theirs ? -1 : 1 : KeyLength.CompareTo(other.KeyLength);
    }
}
