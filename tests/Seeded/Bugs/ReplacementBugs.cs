namespace Varve.Tests.Seeded.Bugs;

/// <summary>What replaces state or files that are in use, and what is counted and flushed meanwhile.</summary>
internal static class ReplacementBugs
{
    public static readonly Bug[] All =
    [
        new("install-without-memory-latches", "an install that finds no memory latches, though nothing has happened",
            "Engine: Callers.WantOfMemoryTests.AnInstallOrResetWithoutMemoryLeavesTheOldStateServing",
            new Edit("LsmStateMachine.Snapshots.cs",
                "(e is OutOfMemoryException && !isWriting))", "(!SEEDED && e is OutOfMemoryException && !isWriting))")),

        new("install-goes-on-after-half-a-record", "an install that finds no memory after its manifest record was begun leaves the old state serving",
            "Engine: Callers.WantOfMemoryTests.AnInstallThatLacksMemoryInTheMidstOfItsRecordLatches",
            new Edit("ManifestStore.cs", "isWriting = true;", "isWriting = !SEEDED;")),

        new("unpublished-entries-flushed", "a flush writes entries that are in the log and not yet durable",
            "Engine: Recovery.FailedSyncTests.EntriesThatAreWrittenAndNotYetDurableDoNotGetIntoTables",
            new Edit("Flusher.cs",
                "if (version.Incarnation.Applied.Read().Index < last.Index)", "if (!SEEDED && version.Incarnation.Applied.Read().Index < last.Index)")),

        new("merge-counted-too-late", "a reading of the statistics shows a merged run and does not count the merge",
            "Schedules: ScheduleTests.AllSchedulesWithFewDeparturesFindNothing",
            new Edit("Compactor.cs", "if (isMerge) Count++;", "if (!SEEDED && isMerge) Count++;"),
            new Edit("Compactor.cs",
                "return TableHandle.HandOver(outputs, () => Replace(version, inputs, inputs[0].Order, [.. outputs], dropTime, isMerge: true));",
                "var isDone = TableHandle.HandOver(outputs, () => Replace(version, inputs, inputs[0].Order, [.. outputs], dropTime, isMerge: true));\n        if (SEEDED && isDone) Count++;\n        return isDone;")),
    ];
}
