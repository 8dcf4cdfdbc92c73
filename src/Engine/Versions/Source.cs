using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using Varve.Format;

namespace Varve.Versions;

/// <summary>
/// One sorted input of a merge: a memtable at a revision, or a run. Positioned on a row or not valid. Key and value memory
/// lives until the source moves, and under the pin or reference that covers the version.
/// </summary>
internal abstract unsafe class Source
{
    /// <summary>The row's key; valid sources only.</summary>
    protected byte* KeyAddress { get; set; }

    public int KeyLength { get; protected set; }

    /// <summary>The first eight key bytes, big endian, zero padded: most comparisons end here.</summary>
    public ulong Head { get; protected set; }

    public bool IsValid { get; protected set; }

    public ReadOnlySpan<byte> Key => new(KeyAddress, KeyLength);

    public abstract RecordKind Kind { get; }

    public abstract ulong Deadline { get; }

    public abstract ReadOnlySpan<byte> Value { get; }

    public abstract void SeekFirst();

    public abstract void SeekLast();

    /// <summary>Goes to the first row at or above a key.</summary>
    public abstract void Seek(ReadOnlySpan<byte> key);

    /// <summary>Goes to the last row below a key.</summary>
    public abstract void SeekBefore(ReadOnlySpan<byte> key);

    public abstract void MoveNext();

    public abstract void MovePrevious();

    /// <summary>Unsigned byte order of the two rows' keys.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int CompareTo(Source other)
    {
        if (Head != other.Head) return Head < other.Head ? -1 : 1;
        return Key.SequenceCompareTo(other.Key);
    }

    protected static ulong HeadOf(ReadOnlySpan<byte> key)
    {
        if (key.Length >= 8) return BinaryPrimitives.ReadUInt64BigEndian(key);
        ulong head = 0;
        for (var i = 0; i < key.Length; i++) head |= (ulong)key[i] << (56 - 8 * i);
        return head;
    }
}
