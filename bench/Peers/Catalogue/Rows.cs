namespace Varve.Bench.Peers;

/// <summary>All rows, in the order of the report, and how they are named on the command line.</summary>
internal static class Rows
{
    public static IReadOnlyList<Workload> All { get; } = [.. MainRows.All, .. LongRows.All];

    /// <summary>The rows of a run without options.</summary>
    public static IReadOnlyList<Workload> Full { get; } = All.Where(w => !w.Group.IsLong && !w.IsLong).ToList();

    public static IReadOnlyList<Group> Groups { get; } = All.Select(w => w.Group).Distinct().ToList();

    private static readonly Dictionary<string, Group> GroupOfRow = All.ToDictionary(w => w.Name, w => w.Group);

    /// <summary>The group of a row; null when there is no such row any more.</summary>
    public static Group? GroupOf(string row) => GroupOfRow.GetValueOrDefault(row);

    public static Group FindGroup(string name) =>
        Groups.FirstOrDefault(g => g.Name == name) ?? throw new ArgumentException($"no group '{name}'");

    /// <summary>The rows of a set or a group, or one row.</summary>
    public static IReadOnlyList<Workload> Find(string name)
    {
        var found = All.Where(w => w.Group.Set == name).ToList();
        if (found.Count == 0) found = All.Where(w => w.Group.Name == name).ToList();
        if (found.Count == 0) found = All.Where(w => w.Name == name).ToList();
        return found.Count > 0
            ? found
            : throw new ArgumentException($"no set, group or row '{name}'; --list names them");
    }
}
