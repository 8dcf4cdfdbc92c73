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
            "a flush checks one version and uses the next: a reset between them ends the background",
            "Schedules: ScheduleTests.AllSchedulesWithFewPreemptionsFindNothing",
            new Edit("CompactionScheduler.cs",
                "if (_engine.State.IsStopping) return false;\n        var version = _versions.AcquireCurrent();",
                "if (_engine.State.IsStopping || (SEEDED && _versions.Current.Memtables.Length < 2)) return false;\n   "
                    + "     var version = _versions.AcquireCurrent();"),
            new Edit("CompactionScheduler.cs",
                "if (version.Memtables is not [_, .., var memtable] || (onlyIfPaid",
                "var memtable = version.Memtables[^1];\n            if ((!SEEDED && version.Memtables.Length < 2) || "
                    + "(onlyIfPaid")),

        new(
            "merge-counts-in-another-state",
            "a merge that a reset has overtaken moves the time of the new state's count",
            "Schedules: ScheduleTests.AllSchedulesWithFewPreemptionsFindNothing",
            new Edit("LeaseHorizon.cs",
                "if (current.Generation != version.Generation) return 0;",
                "if (!SEEDED && current.Generation != version.Generation) return 0;")),

        new("held-version-freed", "a version that a view holds is freed once no pin can see it",
            "Engine: Epochs.ReclaimerTests.HeldVersionWaitsForItsHoldAndBlocksNothing",
            new Edit(
                "Reclaimer.cs", "if (release is not RefCounted resource || !Holds.Name(resource)) return true;",
                "if (SEEDED || release is not RefCounted resource || !Holds.Name(resource)) return true;")),

        new(
            "view-pins-all-that-follows", "an open view keeps its pin, and with it everything retired afterwards",
            "Engine: Recovery.GrowthTests.DataWrittenUnderOpenViewIsReleased",
            new Edit("ReadSessions.cs",
                "return new ReadView(session); } finally { Leave(slot);",
                "return new ReadView(session); } finally { if (!SEEDED) Leave(slot);")),

        new("end-of-a-view-not-told", "the end of a view does not wake the release of its version",
            "Engine: Recovery.GrowthTests.ViewKeepsReplacedStateReadableAndReleasesItAtEnd",
            new Edit("ReadSessions.cs",
                "if (version != _versions.Current || _state.IsClosed) ReleaseAfterView();",
                "if (!SEEDED && (version != _versions.Current || _state.IsClosed)) ReleaseAfterView();")),

        new("background-polls-for-views", "the background wakes repeatedly for a view that stays open",
            "Engine: Recovery.GrowthTests.ViewKeepsReplacedStateReadableAndReleasesItAtEnd",
            new Edit(
                "BackgroundScheduler.cs", "_versions.Reclaimer.Pending > 0 ?",
                "_versions.Reclaimer.Pending + (SEEDED ? _versions.Reclaimer.Held : 0) > 0 ?")),

        new(
            "writer-under-a-pin",
            "the caller's buffer writer runs under a pin, which keeps everything retired meanwhile",
            "Engine: Recovery.GrowthTests.SlowBufferWriterBlocksNothing",
            new Edit("PointReads.cs",
                "using var view = sessions.OpenView(); if (!view.TryGet(key",
                "if (SEEDED) versions.Pins.Enter(); using var view = sessions.OpenView(); if (!view.TryGet(key")),

        new("scan-kept-at-its-end", "a finished scan is kept until its view is closed",
            "Engine: Recovery.GrowthTests.FinishedScansOfViewKeepNoMemory",
            new Edit("PrefixScan.cs", "session.EndScan(this);", "if (!SEEDED) session.EndScan(this);")),

        new("scan-kept-after-a-break", "an abandoned scan is kept until its view is closed",
            "Engine: Recovery.GrowthTests.FinishedScansOfViewKeepNoMemory",
            new Edit(
                "ScanEnumerator.cs", "if (!IsOver) _scan.Session.EndScan(_scan);",
                "if (!SEEDED && !IsOver) _scan.Session.EndScan(_scan);")),

        new("scan-goes-on-as-another", "a finished scan advances its successor",
            "Engine: Recovery.GrowthTests.FinishedScanIsNotItsSuccessor",
            new Edit(
                "PrefixScan.cs", "public void Begin(long stamp) => Stamp = stamp;",
                "public void Begin(long stamp) => Stamp = SEEDED ? 1 : stamp;")),

        new(
            "refused-replacement-leaves-a-segment",
            "a reset or an install without space for its record leaves its segment",
            "Engine: Recovery.GrowthTests.FailedReplacementLeavesNoSegment",
            new Edit("StateReplacement.cs", "memtable?.DropSegment();", "if (!SEEDED) memtable?.DropSegment();")),

        new(
            "index-memory-from-the-heap", "index memory comes from the heap, which keeps it resident",
            "Engine: Storage.ReservedMemoryTests.ReservationIsOwnMappingWithoutPages",
            new Edit(
                "ReservedMemory.cs", "return OperatingSystem.IsLinux() || OperatingSystem.IsMacOS() ?",
                "return !SEEDED && (OperatingSystem.IsLinux() || OperatingSystem.IsMacOS()) ?")),
    ];
}
