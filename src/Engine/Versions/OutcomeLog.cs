using System.Numerics;
using Varve.Contract;
using Varve.Format;

namespace Varve.Versions;

/// <summary>
/// The outcomes of the latest entries, so that a duplicate gets the answer of its first application. A ring of bits in
/// the order of application, and the runs of consecutive indexes that they belong to. An entry's ordinal is its number
/// in that order. Used under the gate.
/// </summary>
internal sealed class OutcomeLog
{
    private readonly ulong[] _bits;
    private ulong[]? _refused;   // parallel to _bits; null until an entry is refused
    private readonly long _capacity;
    private readonly Action<Allocation>? _allocations;
    private readonly List<Run> _runs = [];
    private int _firstRun;
    private long _next;

    /// <param name="entries">The least number of outcomes to keep.</param>
    /// <param name="known">The outcomes to begin with.</param>
    /// <param name="allocations">Called before each allocation; it may throw in its place.</param>
    public OutcomeLog(int entries, ReadOnlySpan<OutcomeRun> known, Action<Allocation>? allocations = null)
    {
        _allocations = allocations;
        _capacity = (long)BitOperations.RoundUpToPowerOf2((uint)Math.Max(entries, 64));
        _bits = new ulong[_capacity / 64];
        var skip = -_capacity;
        foreach (var run in known)
        {
            skip += run.Count;
            if (run.Refused is not null) _refused ??= new ulong[_bits.Length];
        }

        foreach (var run in known)
        {
            var first = (int)Math.Clamp(skip, 0, run.Count);
            skip -= run.Count;
            for (var i = first; i < run.Count; i++)
                Add(run.FirstIndex + (ulong)i, StatusOf(run, i));
        }
    }

    /// <summary>Records the outcome of the next applied entry. Indexes ascend.</summary>
    public void Add(ulong index, ApplyStatus status)
    {
        var at = (_next & (_capacity - 1)) >> 6;
        ref var word = ref _bits[at];
        var bit = 1UL << (int)(_next & 63);
        word = status == ApplyStatus.Applied ? word | bit : word & ~bit;
        if (status == ApplyStatus.Refused) ReserveRefused();
        if (_refused is not null)
            _refused[at] = status == ApplyStatus.Refused ? _refused[at] | bit : _refused[at] & ~bit;
        if (_runs.Count > _firstRun && _runs[^1].FirstIndex + (ulong)(_next - _runs[^1].FirstOrdinal) == index)
        {
            _next++;
            return;
        }

        Reserve(1);
        _runs.Add(new Run(index, _next));
        _next++;
        DropOldRuns();
    }

    /// <summary>Allocates memory for <paramref name="count"/> more runs of consecutive indexes.</summary>
    public void Reserve(int count)
    {
        if (count <= _runs.Capacity - _runs.Count) return;
        _allocations?.Invoke(Allocation.Outcomes);
        _runs.EnsureCapacity(_runs.Count + count);
    }

    /// <summary>Allocates memory for refused entries.</summary>
    public void ReserveRefused()
    {
        if (_refused is not null) return;
        _allocations?.Invoke(Allocation.Outcomes);
        _refused = new ulong[_bits.Length];
    }

    /// <summary>
    /// True if an index at or below the applied one belongs to no entry, since the position was moved past it. False if
    /// that is no longer known.
    /// </summary>
    public bool IsPassedOver(ulong index)
    {
        for (var i = _runs.Count - 1; i >= _firstRun; i--)
        {
            if (_runs[i].FirstIndex > index) continue;
            var end = i + 1 < _runs.Count ? _runs[i + 1].FirstOrdinal : _next;
            return index - _runs[i].FirstIndex >= (ulong)(end - _runs[i].FirstOrdinal);
        }

        return false;
    }

    /// <summary>The outcome of an entry; null if it is not kept.</summary>
    public ApplyStatus? Find(ulong index)
    {
        int low = _firstRun, high = _runs.Count;
        while (low < high)
        {
            var middle = (low + high) >>> 1;
            if (_runs[middle].FirstIndex <= index) low = middle + 1;
            else high = middle;
        }

        if (low == _firstRun) return null;
        var run = _runs[low - 1];
        var end = low < _runs.Count ? _runs[low].FirstOrdinal : _next;
        var ordinal = run.FirstOrdinal + (long)(index - run.FirstIndex);
        if (index - run.FirstIndex > long.MaxValue || ordinal >= end || ordinal < _next - _capacity) return null;
        return StatusAt(ordinal);
    }

    /// <summary>The kept outcomes of the last entries up to an index, at most of <paramref name="entries"/>.</summary>
    public OutcomeRun[] UpTo(ulong index, int entries)
    {
        var found = new List<OutcomeRun>();
        var left = entries;
        for (var i = _runs.Count - 1; i >= _firstRun && left > 0; i--)
        {
            var run = _runs[i];
            if (run.FirstIndex > index) continue;
            var end = i + 1 < _runs.Count ? _runs[i + 1].FirstOrdinal : _next;
            end = Math.Min(end, run.FirstOrdinal
                + (long)Math.Min(index - run.FirstIndex, (ulong)long.MaxValue - (ulong)run.FirstOrdinal - 1) + 1);
            var start = Math.Max(Math.Max(run.FirstOrdinal, _next - _capacity), end - left);
            if (end <= start) continue;
            found.Add(Copy(run, start, end));
            left -= (int)(end - start);
        }

        found.Reverse();
        return [.. found];
    }

    private OutcomeRun Copy(Run run, long start, long end)
    {
        var count = (int)(end - start);
        var bits = new byte[(count + 7) / 8];
        byte[]? refused = null;
        for (var i = 0; i < count; i++)
        {
            var status = StatusAt(start + i);
            if (status == ApplyStatus.Applied) bits[i >> 3] |= (byte)(1 << (i & 7));
            if (status == ApplyStatus.Refused) (refused ??= new byte[bits.Length])[i >> 3] |= (byte)(1 << (i & 7));
        }

        return new OutcomeRun(run.FirstIndex + (ulong)(start - run.FirstOrdinal), count, bits) { Refused = refused };
    }

    private ApplyStatus StatusAt(long ordinal)
    {
        var (word, bit) = ((ordinal & (_capacity - 1)) >> 6, (int)(ordinal & 63));
        if ((_bits[word] >> bit & 1) != 0) return ApplyStatus.Applied;
        return _refused is not null && (_refused[word] >> bit & 1) != 0
            ? ApplyStatus.Refused
            : ApplyStatus.ExpectationFailed;
    }

    private static ApplyStatus StatusOf(OutcomeRun run, int entry)
    {
        if ((run.Bits[entry >> 3] >> (entry & 7) & 1) != 0) return ApplyStatus.Applied;
        return run.Refused is { } refused && (refused[entry >> 3] >> (entry & 7) & 1) != 0
            ? ApplyStatus.Refused
            : ApplyStatus.ExpectationFailed;
    }

    private void DropOldRuns()
    {
        while (_firstRun + 1 < _runs.Count && _runs[_firstRun + 1].FirstOrdinal <= _next - _capacity) _firstRun++;
        if (_firstRun < 1024 || _firstRun * 2 < _runs.Count) return;
        _runs.RemoveRange(0, _firstRun);
        _firstRun = 0;
    }

    private readonly record struct Run(ulong FirstIndex, long FirstOrdinal);
}
