using Varve.Format;
using Varve.Memory;

namespace Varve.Versions;

/// <summary>The sum of a manifest's edits. One thread at a time.</summary>
internal sealed class ManifestContent
{
    private readonly Dictionary<ulong, AddedTable> _tables = [];

    /// <summary>The machine's state as of the tables; that of the last edit that has one.</summary>
    public MachineState State { get; private set; } = MachineState.Empty(0, StoredLeaseClock.Local);

    /// <summary>True once an edit had a state; the first edit of a sound manifest has one.</summary>
    public bool HasState { get; private set; }

    public ulong NextFileNumber { get; private set; }

    public ulong FirstSegment { get; private set; }

    /// <summary>
    /// The tables by run, newest run first; within a run by their bounds, which are keys cut off to a limit.
    /// </summary>
    public IEnumerable<IGrouping<ulong, AddedTable>> Runs =>
        _tables.Values
            .OrderByDescending(table => table.RunOrder)
            .ThenBy(table => table.Table.SmallestKey, KeyComparer.Instance)
            // Smallest keys may have been cut off to the same bytes.
            .ThenBy(table => table.Table.LargestKey, KeyComparer.Instance)
            .GroupBy(table => table.RunOrder);

    /// <summary>Allocates the memory that <see cref="Apply"/> needs, so that it cannot fail for want of it.</summary>
    public void Reserve(VersionEdit edit) =>
        _tables.EnsureCapacity((edit.Replace ? 0 : _tables.Count) + edit.Added.Length);

    /// <summary>Applies one edit. Returns the problem, or null.</summary>
    public string? Apply(VersionEdit edit)
    {
        if (edit.Replace) _tables.Clear();
        foreach (var number in edit.Removed)
            if (!_tables.Remove(number)) return "edit removes a table that the manifest does not have";
        foreach (var added in edit.Added)
            if (!_tables.TryAdd(added.Table.Number, added)) return "edit adds a table that the manifest has already";
        State = edit.State ?? State;
        HasState |= edit.State is not null;
        NextFileNumber = Math.Max(NextFileNumber, edit.NextFileNumber);
        FirstSegment = edit.FirstSegment;
        return HasState ? null : "first edit has no machine state";
    }

    /// <summary>The sum as a single edit.</summary>
    public VersionEdit ToEdit(ulong nextFileNumber) => new()
    {
        Replace = true,
        NextFileNumber = Math.Max(NextFileNumber, nextFileNumber),
        FirstSegment = FirstSegment,
        State = State,
        Added = [.. _tables.Values.OrderBy(table => table.Table.Number)],
    };

    /// <summary>Returns the problem if bounds of a run's tables overlap (I9), or null.</summary>
    public string? FindOverlap()
    {
        foreach (var run in Runs)
        {
            byte[]? last = null;
            foreach (var (_, table) in run)
            {
                if (last is not null && !TableDescriptor.MayEndBefore(last, table.SmallestKey))
                    return "tables of a run overlap";
                last = table.LargestKey;
            }
        }

        return null;
    }
}
