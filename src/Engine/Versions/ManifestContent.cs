using Varve.Format;
using Varve.Memory;

namespace Varve.Versions;

/// <summary>What the edits of a manifest add up to.</summary>
internal sealed class ManifestContent
{
    private readonly Dictionary<ulong, AddedTable> _tables = [];

    /// <summary>As of the last edit that has one.</summary>
    public MachineState State { get; private set; } = MachineState.Empty(0, StoredLeaseClock.Local);

    /// <summary>Whether an edit had one; the first of a sound manifest does.</summary>
    public bool HasState { get; private set; }

    public ulong NextFileNumber { get; private set; }

    public ulong FirstSegment { get; private set; }

    /// <summary>
    /// Tables in run order, newest run first, and in the order of what is known of their keys within a run.
    /// </summary>
    public IEnumerable<IGrouping<ulong, AddedTable>> Runs =>
        _tables.Values
            .OrderByDescending(table => table.RunOrder)
            .ThenBy(table => table.Table.SmallestKey, KeyComparer.Instance)
            // Of first keys that were cut off to the same bytes.
            .ThenBy(table => table.Table.LargestKey, KeyComparer.Instance)
            .GroupBy(table => table.RunOrder);

    /// <summary>Takes the memory that <see cref="Apply"/> needs.</summary>
    public void Reserve(VersionEdit edit) =>
        _tables.EnsureCapacity((edit.Replace ? 0 : _tables.Count) + edit.Added.Length);

    /// <summary>Applies one edit; says what is wrong with it, or null.</summary>
    public string? Apply(VersionEdit edit)
    {
        if (edit.Replace) _tables.Clear();
        foreach (var number in edit.Removed)
            if (!_tables.Remove(number)) return "edit removes a table that is not there";
        foreach (var added in edit.Added)
            if (!_tables.TryAdd(added.Table.Number, added)) return "edit adds a table that is there";
        State = edit.State ?? State;
        HasState |= edit.State is not null;
        NextFileNumber = Math.Max(NextFileNumber, edit.NextFileNumber);
        FirstSegment = edit.FirstSegment;
        return HasState ? null : "first edit has no machine state";
    }

    /// <summary>One edit that says all of it.</summary>
    public VersionEdit ToEdit(ulong nextFileNumber) => new()
    {
        Replace = true,
        NextFileNumber = Math.Max(NextFileNumber, nextFileNumber),
        FirstSegment = FirstSegment,
        State = State,
        Added = [.. _tables.Values.OrderBy(table => table.Table.Number)],
    };

    /// <summary>What overlaps within a run by what is known of the keys, or null.</summary>
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
