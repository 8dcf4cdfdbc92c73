using Varve.Tests.Seeded.Bugs;

namespace Varve.Tests.Seeded;

/// <summary>All bugs. The number of a bug is its place here, from 1 on.</summary>
internal static class BugList
{
    public static IReadOnlyList<Bug> All { get; } = [
        .. WalBugs.All, .. StorageBugs.All, .. TableBugs.All, .. SnapshotBugs.All, .. StateBugs.All, .. LeaseBugs.All,
        .. MemoryBugs.All, .. GrowthBugs.All, .. EvolutionBugs.All, .. DirectoryBugs.All, .. SpaceBugs.All,
        .. SnapshotTargetBugs.All, .. HostileBugs.All, .. CallerBugs.All, .. ReplacementBugs.All,
        .. MarkBugs.All, .. StagedBugs.All, .. DiagnosticsBugs.All, .. ChangeBugs.All];

    public static int NumberOf(Bug bug) => All.ToList().IndexOf(bug) + 1;

    public static Bug Named(string name) => All.FirstOrDefault(bug => bug.Name == name)
        ?? throw new ArgumentException($"No bug is called {name}.", nameof(name));

    public static IEnumerable<string> Projects => All.Select(bug => bug.Project).Distinct();
}
