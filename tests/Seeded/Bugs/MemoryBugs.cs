namespace Varve.Tests.Seeded.Bugs;

/// <summary>Structures that readers walk without locks: the memtable's index, versions, pins.</summary>
internal static class MemoryBugs
{
    public static readonly Bug[] All =
    [
        new("split-loses-a-row", "a split of a memtable block loses its last row",
            "Engine: Memtables.MemtableModelTests.AnyInsertionOrderMatchesModel",
            new Edit(
                "BlockList.Growth.cs", "to->Order = RowOrder.First(Moved);",
                "to->Order = RowOrder.First(SEEDED ? Moved - 1 : Moved);")),

        new(
            "split-truncates-before-it-publishes",
            "a split removes rows from the old block before the new one is reachable",
            "Schedules: ScheduleTests.AllSchedulesWithFewPreemptionsFindNothing",
            new Edit("BlockList.Growth.cs",
                "Publish(left, right);\n        Volatile.Write(ref from->Order",
                "if (SEEDED) { Volatile.Write(ref from->Order, RowOrder.Truncate(order, RowsKeptBySplit)); "
                    + "Volatile.Write(ref from->Splits, from->Splits + 1); }\n        Publish(left, "
                    + "right);\n        Volatile.Write(ref from->Order")),

        new("open-block-takes-any-key", "a block with an assumed prefix accepts a key that does not share it",
            "Engine: Memtables.MemtableModelTests.KeysBeyondTrustedPrefixMatchModel",
            new Edit(
                "BlockList.Writer.cs", "if (at->Open != 0 && !SharesPrefix(at, key))",
                "if (!SEEDED && at->Open != 0 && !SharesPrefix(at, key))")),

        new("no-second-look-at-the-directory", "a get that met a split of the hash directory does not retry",
            "Schedules: ScheduleTests.AllSchedulesWithFewPreemptionsFindNothing",
            new Edit(
                "HashDirectory.cs", "if (Volatile.Read(ref _count) == count) return 0;",
                "if (SEEDED || Volatile.Read(ref _count) == count) return 0;")),

        new("freed-under-a-pin", "a retired object is freed while a reader may use it",
            "Engine: Epochs.ReclaimerTests.NothingIsFreedUnderPin",
            new Edit("Reclaimer.cs", "oldest.Stamp < safeBelow)", "(SEEDED || oldest.Stamp < safeBelow))")),

        new("no-second-look-at-the-version",
            "a view combines a version with a position that was published later, after a rotation and an apply",
            "Schedules: ScheduleTests.AllSchedulesWithFewPreemptionsFindNothing",
            new Edit(
                "VersionSet.cs", "if (Current == version) return version;",
                "if (SEEDED || Current == version) return version;")),

        new("inner-pin-ends-the-outer", "the end of a nested pin ends the outer one too",
            "Engine: Epochs.EpochTableTests.InnerPinNeitherRenewsNorEndsOuterPin",
            new Edit(
                "EpochTable.cs", "if (depth == 0) Volatile.Write(ref slot.Epoch, 0);",
                "if (SEEDED || depth == 0) Volatile.Write(ref slot.Epoch, 0);")),

        new("pins-without-fence", "the scan of the pins omits its fence",
            "Schedules: ScheduleTests.AllSchedulesWithFewPreemptionsFindNothing",
            new Edit(
                "EpochTable.cs", "private static void Fence() => Interlocked.MemoryBarrierProcessWide();",
                "private static void Fence() { if (!SEEDED) Interlocked.MemoryBarrierProcessWide(); }")),

        new("gate-held-across-a-sync", "a sync of the whole log takes the gate first, and the sync lock under it",
            "Schedules: ScheduleTests.AllSchedulesWithFewPreemptionsFindNothing",
            new Edit("WalSyncer.cs",
                "using (_supply.Segments.Syncing.Enter()) RunSyncHeld(); }",
                "if (SEEDED) { using (_versions.EnterGate()) using (_supply.Segments.Syncing.Enter()) "
                    + "RunSyncHeld(); }\n"
                    + "        else { using (_supply.Segments.Syncing.Enter()) RunSyncHeld(); } }")),

        new("reader-switches-without-the-gate", "a reader's catch-up switches versions without the gate",
            "Schedules: ScheduleTests.AllSchedulesWithFewPreemptionsFindNothing",
            new Edit("Follower.cs",
                "using (versions.EnterGate()) versions.SwitchGateHeld(next);",
                "if (SEEDED) versions.SwitchGateHeld(next);\n"
                    + "        else using (versions.EnterGate()) versions.SwitchGateHeld(next);")),
    ];
}
