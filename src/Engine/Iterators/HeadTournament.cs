using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Varve.Iterators;

/// <summary>
/// The heads of a merge's inputs, and the search for the smallest of them. <see cref="MergingIterator"/> and
/// <see cref="CompactionMerge"/> both use it.
/// <para>
/// <b>Problem.</b> No processor predicts which input a merge takes next. A heap or a loser tree does fewer comparisons,
/// but mispredicts a branch in about half of them.
/// </para>
/// <para>
/// <b>Solution.</b> Eight heads are one vector. The minimum of a vector takes three steps by halves, and one comparison
/// with it gives the inputs that have it as bits, so a search branches on the number of inputs alone. Equal heads do
/// not order keys: the caller compares the whole keys of the inputs whose bits are set.
/// </para>
/// <para>
/// <b>Invariant.</b> A lane without an input holds the largest number. That number may be a head too, so every answer
/// is masked with the inputs.
/// </para>
/// A mutable value with one owner. One thread.
/// </summary>
internal struct HeadTournament
{
    /// <summary><see cref="Smallest"/> answers for up to this many inputs.</summary>
    public const int SearchableInputsMax = 64;

    private const int Lanes = 8;

    private ulong[] _heads = new ulong[Lanes]; // whole vectors
    private int _count;

    public HeadTournament()
    {
    }

    private static Vector512<ulong> LaneNumbers => Vector512.Create(0UL, 1, 2, 3, 4, 5, 6, 7);

    public readonly int Count => _count;

    public readonly ulong this[int input] => _heads[input];

    /// <summary>Begins anew with this many inputs, whose heads are the largest number until they are set.</summary>
    public void Begin(int count)
    {
        if (_heads.Length < count) _heads = new ulong[(2 * count + Lanes - 1) / Lanes * Lanes];
        _count = count;
        for (var i = 0; i < count; i += Lanes) LanesFrom(i) = Vector512<ulong>.AllBitsSet;
    }

    /// <summary>Replaces an input's head.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly void Set(int input, ulong head)
    {
        ref var lanes = ref LanesFrom(input & -Lanes);
        lanes = With(lanes, input & (Lanes - 1), head);
    }

    /// <summary>Takes an input out; those after it move up.</summary>
    public void Remove(int input)
    {
        _count--;
        if (_count < Lanes)
        {
            // Lanes at and after the input take the value of their right neighbour. True is minus one.
            var from = LaneNumbers - Vector512.GreaterThanOrEqual(LaneNumbers, Vector512.Create((ulong)input));
            LanesFrom(0) = With(Vector512.Shuffle(LanesFrom(0), from), Lanes - 1, ulong.MaxValue);
        }
        else
        {
            _heads.AsSpan(input + 1, _count - input).CopyTo(_heads.AsSpan(input));
            _heads[_count] = ulong.MaxValue;
        }
    }

    /// <summary>
    /// The inputs with the smallest head, as bits; one input may be left out. 0 if no other is left. For at most
    /// <see cref="SearchableInputsMax"/> inputs.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly ulong Smallest(int except = -1)
    {
        if (_count > Lanes) return SmallestOfMany(except);
        var inputs = (1UL << _count) - 1;
        var heads = LanesFrom(0);
        if (except >= 0)
        {
            inputs &= ~(1UL << except);
            heads = With(heads, except, ulong.MaxValue);
        }

        return inputs & Vector512.Equals(heads, Vector512.Create(LeastOf(heads))).ExtractMostSignificantBits();
    }

    private readonly ulong SmallestOfMany(int except)
    {
        var least = Vector512<ulong>.AllBitsSet;
        for (var i = 0; i < _count; i += Lanes) least = Vector512.Min(least, LanesBut(except, i));
        var smallest = Vector512.Create(LeastOf(least));
        ulong tied = 0;
        for (var i = 0; i < _count; i += Lanes)
            tied |= Vector512.Equals(LanesBut(except, i), smallest).ExtractMostSignificantBits() << i;
        return tied & ulong.MaxValue >> (SearchableInputsMax - _count) & ~(except < 0 ? 0 : 1UL << except);
    }

    /// <summary>
    /// The vector that begins at a multiple of eight. It is stored whole, as it is loaded: a load of a vector that was
    /// stored in parts cannot take them from the store buffer, but waits until they reach the cache.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private readonly ref Vector512<ulong> LanesFrom(int first)
    {
        // SAFETY: the array has whole vectors, its index is checked, and the caller passes a multiple of eight.
        return ref Unsafe.As<ulong, Vector512<ulong>>(ref _heads[first]);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private readonly Vector512<ulong> LanesBut(int except, int first) =>
        (except & -Lanes) == first
            ? With(LanesFrom(first), except & (Lanes - 1), ulong.MaxValue)
            : LanesFrom(first);

    /// <summary>Replaces one lane in registers; <c>WithElement</c> would go through memory, in parts.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<ulong> With(Vector512<ulong> heads, int lane, ulong head) =>
        Vector512.ConditionalSelect(
            Vector512.Equals(LaneNumbers, Vector512.Create((ulong)lane)), Vector512.Create(head), heads);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong LeastOf(Vector512<ulong> heads)
    {
        var four = Vector256.Min(heads.GetLower(), heads.GetUpper());
        var two = Vector128.Min(four.GetLower(), four.GetUpper());
        return Math.Min(two[0], two[1]);
    }
}
