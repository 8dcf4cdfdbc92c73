using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Varve.Iterators;

/// <summary>Changes of eight heads in registers. <c>WithElement</c> goes through memory, in parts.</summary>
internal static class HeadVector
{
    private static Vector512<ulong> Numbers => Vector512.Create(0UL, 1, 2, 3, 4, 5, 6, 7);

    /// <summary>The heads with one replaced.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<ulong> With(this Vector512<ulong> heads, int at, ulong head) =>
        Vector512.ConditionalSelect(
            Vector512.Equals(Numbers, Vector512.Create((ulong)at)), Vector512.Create(head), heads);

    /// <summary>
    /// The heads with one left out: those behind it move up, and the largest number comes in at the end.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<ulong> Without(this Vector512<ulong> heads, int at)
    {
        // True is all bits set, which is minus one.
        var from = Numbers - Vector512.GreaterThanOrEqual(Numbers, Vector512.Create((ulong)at));
        return Vector512.Shuffle(heads, from).With(Vector512<ulong>.Count - 1, ulong.MaxValue);
    }
}
