namespace Varve.Tests.Seeded.Bugs;

/// <summary>
/// Background activity: work that crosses a reset or an install, views that stay open, released memory.
/// </summary>
internal static class GrowthBugs
{
    public static readonly Bug[] All =
    [
        new(
            "flush-looks-twice",
            "a flush judges one version and takes the next: a reset between the two ends the background",
            "Schedules: ScheduleTests.AllSchedulesWithFewPreemptionsFindNothing",
            new Edit("CompactionScheduler.cs",
                "if (_engine.State.IsStopping) return false;\n        var version = _versions.AcquireCurrent();",
                "if (_engine.State.IsStopping || (SEEDED && _versions.Current.Memtables.Length < 2)) return false;\n   "
                    + "     var version = _versions.AcquireCurrent();"),
            new Edit("CompactionScheduler.cs",
                "if (version.Memtables is not [_, .., var memtable] || isDue",
                "var memtable = version.Memtables[^1];\n            if ((!SEEDED && version.Memtables.Length < 2) || "
                    + "isDue")),

        new(
            "merge-counts-in-another-state",
            "a merge that a reset has overtaken moves the time of the new state's count",
            "Schedules: ScheduleTests.AllSchedulesWithFewPreemptionsFindNothing",
            new Edit("LeaseHorizon.cs",
                "if (current.Generation != version.Generation) return 0;",
                "if (!SEEDED && current.Generation != version.Generation) return 0;")),

        new("held-version-freed", "a version that a view holds is let go of as soon as no pin can see it",
            "Engine: Epochs.ReclaimerTests.HeldVersionWaitsForItsHoldAndBlocksNothing",
            new Edit(
                "Reclaimer.cs", "if (release is not RefCounted resource || !Holds.Name(resource)) return true;",
                "if (SEEDED || release is not RefCounted resource || !Holds.Name(resource)) return true;")),

        new(
            "view-pins-all-that-follows",
            "an open view keeps the pin that it was opened under, and with it all that is retired from then on",
            "Engine: Recovery.GrowthTests.DataWrittenUnderOpenViewIsReleased",
            new Edit("ReadSessions.cs",
                "return new ReadView(session); } finally { Leave(slot);",
                "return new ReadView(session); } finally { if (!SEEDED) Leave(slot);")),

        new("end-of-a-view-not-told", "the end of a view has nobody let go of what it alone read",
            "Engine: Recovery.GrowthTests.ViewKeepsReplacedStateReadableAndReleasesItAtEnd",
            new Edit("ReadSessions.cs",
                "if (version != _versions.Current || _state.IsClosed) CollectAfterView();",
                "if (!SEEDED && (version != _versions.Current || _state.IsClosed)) CollectAfterView();")),

        new("background-polls-for-views", "the background wakes again and again for a view that stays open",
            "Engine: Recovery.GrowthTests.ViewKeepsReplacedStateReadableAndReleasesItAtEnd",
            new Edit(
                "BackgroundScheduler.cs", "_versions.Reclaimer.Pending > 0 ?",
                "_versions.Reclaimer.Pending + (SEEDED ? _versions.Reclaimer.Held : 0) > 0 ?")),

        new(
            "writer-under-a-pin",
            "the caller's buffer writer runs under a pin, which keeps all that is retired meanwhile",
            "Engine: Recovery.GrowthTests.SlowBufferWriterBlocksNothing",
            new Edit("LsmStateMachine.cs",
                "using var view = OpenView(); if (!view.TryGet(key",
                "if (SEEDED) _versions.Pins.Enter(); using var view = OpenView(); if (!view.TryGet(key")),

        new("scan-kept-at-its-end", "a scan that came to its end is kept until its view is closed",
            "Engine: Recovery.GrowthTests.FinishedScansOfViewKeepNoMemory",
            new Edit("PrefixScan.cs", "session.EndScan(this);", "if (!SEEDED) session.EndScan(this);")),

        new("scan-kept-after-a-break", "a scan that was given up is kept until its view is closed",
            "Engine: Recovery.GrowthTests.FinishedScansOfViewKeepNoMemory",
            new Edit(
                "ReadView.cs", "if (!IsOver) _scan.Session.EndScan(_scan);",
                "if (!SEEDED && !IsOver) _scan.Session.EndScan(_scan);")),

        new("scan-goes-on-as-another", "a scan that is over steps the one that took its place",
            "Engine: Recovery.GrowthTests.FinishedScanIsNotItsSuccessor",
            new Edit(
                "PrefixScan.cs", "public void Begin(long stamp) => Stamp = stamp;",
                "public void Begin(long stamp) => Stamp = SEEDED ? 1 : stamp;")),

        new(
            "refused-replacement-leaves-a-segment",
            "a reset or an install that finds no room for its record leaves the segment that it took",
            "Engine: Recovery.GrowthTests.FailedReplacementLeavesNoSegment",
            new Edit("StateReplacement.cs", "memtable?.MarkObsolete();", "if (!SEEDED) memtable?.MarkObsolete();")),

        new(
            "index-memory-from-the-heap",
            "memory of indexes is taken from the heap, which keeps it and makes it present when it hands it out again",
            "Engine: Storage.ReservedMemoryTests.ReservationIsOwnMappingWithoutPages",
            new Edit(
                "ReservedMemory.cs", "return OperatingSystem.IsLinux() || OperatingSystem.IsMacOS() ?",
                "return !SEEDED && (OperatingSystem.IsLinux() || OperatingSystem.IsMacOS()) ?")),
    ];
}
