namespace Varve.Tests.Seeded.Bugs;

/// <summary>What happens beside the appliers: background work that crosses a reset or an install, views that stay open, memory that is given back.</summary>
internal static class GrowthBugs
{
    public static readonly Bug[] All =
    [
        new("flush-looks-twice", "a flush judges one version and takes the next: a reset between the two ends the background",
            "Schedules: ScheduleTests.AllSchedulesWithFewDeparturesFindNothing",
            new Edit("src/Engine/Compaction/TableJobs.cs",
                "if (_host.IsStopping) return false;\n        var version = _versions.AcquireCurrent();",
                "if (_host.IsStopping || (SEEDED && _versions.Current.Memtables.Length < 2)) return false;\n        var version = _versions.AcquireCurrent();"),
            new Edit("src/Engine/Compaction/TableJobs.cs",
                "if (version.Memtables is not [_, .., var memtable] || isDue",
                "var memtable = version.Memtables[^1];\n            if ((!SEEDED && version.Memtables.Length < 2) || isDue")),

        new("merge-counts-in-another-state", "a merge that a reset has overtaken moves the time of the new state's count",
            "Schedules: ScheduleTests.AllSchedulesWithFewDeparturesFindNothing",
            new Edit("src/Engine/LsmStateMachine.Lifecycle.cs",
                "if (current.Incarnation != version.Incarnation) return 0;",
                "if (SEEDED) census = current.Incarnation.Census;\n            else if (current.Incarnation != version.Incarnation) return 0;")),
    ];
}
