using System.Runtime.CompilerServices;
using Varve.Format;
using Varve.Memory;
using Varve.Tables;

namespace Varve.Iterators;

/// <summary>
/// One sorted input of a scan's merge: a memtable at a revision, or a run. It stands on a row, or is not valid. Key and
/// value memory lives until the input moves, and while the scan's pin or hold keeps the version.
/// </summary>
internal abstract class MergeInput
{
    // SAFETY: these members point into memory that the scan's version keeps, or into the input's own key buffer; the
    // input sets them with the lengths whenever it moves.

    /// <summary>The row's key; of a valid input only.</summary>
    protected unsafe byte* KeyAddress { get; set; }

    protected unsafe byte* ValueAddress { get; set; }

    public unsafe ReadOnlySpan<byte> Key => new(KeyAddress, KeyLength);

    public unsafe ReadOnlySpan<byte> Value => new(ValueAddress, ValueLength);

    /// <summary>The row without its key.</summary>
    public unsafe KeyVersion Version => new(Kind, ValueAddress, ValueLength);

    /// <summary>Unix milliseconds; 0 unless the row is a leased put.</summary>
    public unsafe ulong Deadline => KeyVersion.DeadlineOf(Kind, ValueAddress, ValueLength);

    public int KeyLength { get; protected set; }

    protected int ValueLength { get; set; }

    public RecordKind Kind { get; protected set; }

    /// <summary>
    /// The eight key bytes behind the scan's prefix as a big-endian number, padded with zeros: it decides most
    /// comparisons.
    /// </summary>
    public ulong Head { get; protected set; }

    public bool IsValid { get; protected set; }

    /// <summary>The number of first bytes that all keys of the scan have in common.</summary>
    protected int PrefixLength { get; set; }

    /// <summary>True if no other input has a row: then nothing reads the head.</summary>
    public bool IsAlone { get; set; }

    /// <summary>
    /// Prepares a scan: its direction; its limit, which is the first key outside the scan or, backward, the smallest
    /// key inside (empty: none); and the length of the prefix that its keys have in common.
    /// </summary>
    public abstract void Begin(bool backward, FixedBytes limit, int prefixLength);

    /// <summary>Starts to load the memory that a seek to this key reads, so that all inputs wait together.</summary>
    public virtual void Prepare(ReadOnlySpan<byte> key)
    {
    }

    public abstract void SeekFirst();

    public abstract void SeekLast();

    /// <summary>Moves to the first row at or above the key that <see cref="Prepare"/> was last given.</summary>
    public abstract void Seek(ReadOnlySpan<byte> key);

    /// <summary>Moves to the last row below the key that <see cref="Prepare"/> was last given.</summary>
    public abstract void SeekBefore(ReadOnlySpan<byte> key);

    /// <summary>
    /// Ends a seek: reads the row that the seek prefetched. The merge seeks in all inputs before the first one reads.
    /// </summary>
    public abstract void Arrive();

    /// <summary>Steps one row further in the scan's direction.</summary>
    public abstract void Step();

    /// <summary>Compares the keys of two rows of one scan in unsigned byte order.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int CompareTo(MergeInput other) =>
        Head != other.Head ? Head < other.Head ? -1 : 1 : CompareBehindHeadTo(other);

    /// <summary>
    /// The eight key bytes behind the head, from where the input has them. A load from <see cref="Key"/> would wait for
    /// the stores that have just put the key together.
    /// </summary>
    protected abstract ulong HeadBehindHead();

    private int CompareBehindHeadTo(MergeInput other)
    {
        if (Math.Max(KeyLength, other.KeyLength) - PrefixLength > 2 * KeyHead.Bytes)
            return Key.SequenceCompareTo(other.Key);
        ulong mine = HeadBehindHead(), theirs = other.HeadBehindHead();
        return mine != theirs ? mine < theirs ? -1 : 1 : KeyLength.CompareTo(other.KeyLength);
    }
}
