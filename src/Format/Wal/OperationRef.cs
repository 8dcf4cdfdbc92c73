using System.Runtime.CompilerServices;

namespace Varve.Format;

/// <summary>
/// The place of an operation in its segment: its offset divided by <see cref="WalOperation.Alignment"/>, in 32 bits. 0
/// is none: a segment begins with its header.
/// </summary>
internal readonly record struct OperationRef(uint Value) : IComparable<OperationRef>
{
    /// <summary>No operation of a segment has a larger one.</summary>
    public static OperationRef Last => new(uint.MaxValue);

    public bool IsNone => Value == 0;

    /// <summary>The operation's offset in its segment.</summary>
    public long Offset => (long)Value * WalOperation.Alignment;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static OperationRef FromOffset(long offset) => new((uint)(offset / WalOperation.Alignment));

    // SAFETY: the reference was made of an offset in this segment, which the caller keeps mapped.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public unsafe WalOperationView At(byte* segment) => new(segment + (ulong)Value * WalOperation.Alignment);

    public int CompareTo(OperationRef other) => Value.CompareTo(other.Value);
}
