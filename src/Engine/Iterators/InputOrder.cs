using System.Numerics;
using System.Runtime.CompilerServices;

namespace Varve.Iterators;

/// <summary>
/// The live inputs of a scan's merge, numbered by age, the newest 0, and the rule that says which of them comes first:
/// the one with the smallest key (backward: the largest); with equal keys, the newest.
/// <para>
/// The key heads decide most comparisons, and whole keys the rest. In a backward scan the heads are complemented, so
/// that the smallest comes first in either direction.
/// </para>
/// A mutable value with one owner. One thread.
/// </summary>
internal struct InputOrder
{
    private MergeInput[] _live = [];
    private HeadTournament _heads = new();
    private bool _backward;

    public InputOrder()
    {
    }

    /// <summary>The number of inputs that have a row.</summary>
    public readonly int Count => _heads.Count;

    public readonly MergeInput this[int input] => _live[input];

    /// <summary>Begins with those inputs that have a row; all are sought.</summary>
    /// <param name="inputs">The inputs of the scan, newest first.</param>
    /// <param name="backward">The direction of the scan.</param>
    public void Begin(ReadOnlySpan<MergeInput> inputs, bool backward)
    {
        _backward = backward;
        if (_live.Length < inputs.Length) _live = new MergeInput[inputs.Length * 2];
        var count = 0;
        foreach (var input in inputs)
        {
            if (!input.IsValid) continue;
            if (_live[count] != input) _live[count] = input; // no write barrier where it stays the same
            count++;
        }

        _heads.Begin(count);
        for (var i = 0; i < count; i++) SetHead(i);
    }

    /// <summary>Takes in that an input has moved to another row.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly void SetHead(int input) => _heads.Set(input, _backward ? ~_live[input].Head : _live[input].Head);

    /// <summary>Takes out an input without a further row. The order of the others stays.</summary>
    public void Remove(int ended)
    {
        _heads.Remove(ended);
        for (var i = ended; i < _heads.Count; i++) _live[i] = _live[i + 1];
    }

    /// <summary>True if the heads of two inputs are equal; their keys may differ.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly bool AreTied(int a, int b) => _heads[a] == _heads[b];

    /// <summary>True if input <paramref name="a"/> comes before input <paramref name="b"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly bool Leads(int a, int b) =>
        _heads[a] != _heads[b] ? _heads[a] < _heads[b] : LeadsByWholeKey(a, b);

    /// <summary>The input that comes before all others but one; -1 if there is none.</summary>
    public readonly int First(int except = -1)
    {
        if (_heads.Count > HeadTournament.SearchableInputsMax) return FirstOfMany(except);
        var tied = _heads.Smallest(except);
        if (tied == 0) return -1;
        var first = BitOperations.TrailingZeroCount(tied);
        for (tied &= tied - 1; tied != 0; tied &= tied - 1)
        {
            var other = BitOperations.TrailingZeroCount(tied);
            if (LeadsByWholeKey(other, first)) first = other;
        }

        return first;
    }

    private readonly int FirstOfMany(int except)
    {
        var first = -1;
        for (var i = 0; i < _heads.Count; i++)
            if (i != except && (first < 0 || Leads(i, first))) first = i;
        return first;
    }

    private readonly bool LeadsByWholeKey(int a, int b)
    {
        var order = _live[a].CompareTo(_live[b]);
        if (order == 0) return a < b;
        return order < 0 != _backward;
    }
}
