namespace Varve.Tests.Seeded.Bugs;

/// <summary>
/// Several engines on one directory: who may write over what, opens that fail, readers beside a writer.
/// </summary>
internal static class DirectoryBugs
{
    public static readonly Bug[] All =
    [
        new("segment-written-over-under-a-reader", "a segment that a read-only engine may have mapped is recycled",
            "Engine: Recovery.SharedDirectoryTests.SegmentsAreNotOverwrittenWhileReaderIsOpen",
            new Edit("WalSegment.cs", "if (DirectoryClaim.", "if (!SEEDED && DirectoryClaim.")),

        new(
            "asked-while-it-has-its-name",
            "the share of a segment is checked while the segment can still be found by its name",
            "Engine: Recovery.SharedDirectoryTests.ReaderOfUnlinkedSegmentPreventsOverwrite",
            new Edit(
                "WalSegment.cs", "storage.Rename(Path, temporary);",
                "var early = SEEDED && DirectoryClaim.IsShared(storage, directory);\n        storage.Rename(Path, "
                    + "temporary);"),
            new Edit(
                "WalSegment.cs", "IsShared(storage, directory)) return null;",
                "IsShared(storage, directory) && (!SEEDED || early)) return null;")),

        new("view-of-a-closed-engine-has-no-share",
            "an engine that closes drops the share of files that its open views read",
            "Engine: Recovery.SharedDirectoryTests.ClosedEngineKeepsShareUntilViewsClose",
            new Edit(
                "EngineShutdown.cs", "claim.KeepMapped();", "if (SEEDED) claim.Dispose(); else claim.KeepMapped();")),

        new("lock-goes-with-its-file", "the removal of the lock file unlocks the directory under the engine",
            "Engine: Recovery.SharedDirectoryTests.DirectoryWithoutLockFileIsStillLocked",
            new Edit("PosixStorage.cs",
                "if (Lock(OpenDirectoryHandle(Path.GetDirectoryName(path)!), path) is { } directory)",
                "if (SEEDED) return new HeldLocks(file, file);\n            if "
                    + "(Lock(OpenDirectoryHandle(Path.GetDirectoryName(path)!), path) is { } directory)")),

        new("refused-share-passes-for-one", "a reader that gets no share reads nevertheless",
            "Engine: Recovery.SharedDirectoryTests.ForeignLockIsReportedAsSuch",
            new Edit(
                "PosixShares.cs", "error == Libc.EAGAIN ? null",
                "error == Libc.EAGAIN ? (SEEDED ? new AssumedShare() : null)")),

        new("disposal-ends-early", "a dispose does not wait for another thread's close",
            "Engine: Recovery.SharedDirectoryTests.DisposeReturnsOnceDirectoryIsFree",
            new Edit(
                "LsmStateMachine.cs", "=> _engine.State.IsReleased ?",
                "=> (SEEDED ? _engine.State.IsClosed : _engine.State.IsReleased) ?")),

        new("late-failure-leaves-the-engine", "an open that fails at its end leaves threads, mappings and the lock",
            "Engine: Recovery.FailedOpenTests.ClockWithoutTimersFailsOpenWithoutTrace",
            new Edit(
                "LsmStateMachine.cs", "_shutdown.Run();\n            throw;",
                "if (!SEEDED) _shutdown.Run();\n            throw;")),

        new(
            "unstarted-thread-leaves-the-engine",
            "an open whose thread cannot be started leaves the other thread, mappings and the lock",
            "Engine: Recovery.FailedOpenTests.ThreadThatCannotStartFailsOpenWithoutTrace",
            new Edit(
                "LsmStateMachine.cs", "opened.LogOpened();\n        }\n        catch",
                "opened.LogOpened();\n        }\n        catch when (!SEEDED)")),

        new("unstarted-thread-is-joined", "a close waits for a thread that could not start",
            "Engine: Recovery.FailedOpenTests.ThreadThatCannotStartFailsOpenWithoutTrace",
            new Edit(
                "BackgroundWorker.cs", "_threadStarts?.Invoke(thread);",
                "if (SEEDED) _thread = thread;\n        _threadStarts?.Invoke(thread);")),

        new("started-thread-outlives-the-open", "a close does not wait for the thread that syncs",
            "Engine: Recovery.FailedOpenTests.ThreadThatCannotStartFailsOpenWithoutTrace",
            new Edit("EngineShutdown.cs", "syncer.Dispose();", "if (!SEEDED) syncer.Dispose();")),

        new(
            "snapshot-without-a-thread-keeps-its-version",
            "a snapshot whose thread cannot start never releases its version",
            "Engine: Recovery.FailedOpenTests.SnapshotThreadThatCannotStartLeavesNoFiles",
            new Edit("SnapshotService.cs", "if (!begun) version", "if (!SEEDED && !begun) version")),

        new(
            "missing-lock-file-means-not-open", "an inspection takes a database without its lock file for closed",
            "Engine: Inspection.VerificationTests.OpenDatabaseIsDetectedWithoutLockFile",
            new Edit(
                "DirectoryHold.cs", "return storage.TryLockExisting(path)",
                "if (SEEDED && !storage.FileExists(path)) return null;\n            return "
                    + "storage.TryLockExisting(path)")),

        new("failed-open-keeps-memory", "a failed open leaks the memory of its memtables",
            "Engine: Recovery.FailedOpenTests.FailedOpenOfRecoveredDatabaseLeaksNoMemory",
            new Edit(
                "MemtableSupply.cs", "Indexes.Dispose();", "if (!SEEDED) Indexes.Dispose();")),

        new(
            "debris-swept-last",
            "leftovers of a crash are swept after the manifest is rewritten, for which there may be no space",
            "Engine: Recovery.FailedOpenTests.OpenSweepsDebrisBeforeItWrites",
            new Edit(
                "DatabaseOpener.cs", "else if (!options.ReadOnly) _sweeper.SweepDebris",
                "else if (!SEEDED && !options.ReadOnly) _sweeper.SweepDebris")),

        new("no-second-look", "a reader reports corruption for a file that the writer changed meanwhile",
            "Engine: Recovery.ReaderBesideWriterTests.OpenRetriesAfterWriterChangedFiles",
            new Edit("DirectoryLook.cs", "if (now == before) throw;", "if (SEEDED || now == before) throw;")),

        new(
            "log-end-not-looked-at-again", "a record that is being written is taken for a damaged one",
            "Engine: Wal.RecordBeingWrittenTests.RecordCompletedBeforeVerdictBelongsToLog",
            new Edit(
                "WalRecovery.cs", "while (chain.Last.TryReadRecord",
                "while (!SEEDED && chain.Last.TryReadRecord")),

        new("catch-up-counts-on", "a reader that adopts other tables keeps the count of the old ones",
            "Engine: Recovery.ReaderBesideWriterTests.CountMatchesWriterAfterTablesLoseLeases",
            new Edit(
                "Follower.cs", "liveKeys.Rebase(next);\n        Switch(next);\n        _manifest = manifest;",
                "if (!SEEDED) liveKeys.Rebase(next);\n        Switch(next);\n        _manifest = manifest;")),

        new("catch-up-keeps-a-dropped-log", "a reader continues in a log that its writer has dropped",
            "Engine: Recovery.ReaderBesideWriterTests.CatchUpShowsCurrentStateAfterAnyWriterAction",
            new Edit("Follower.cs", "if (!Reaches(growth", "if (!SEEDED && !Reaches(growth")),

        new("shares-never-asked-for", "the writer overwrites dropped files without checking for shares",
            "Schedules: ScheduleTests.AllSchedulesWithFewPreemptionsFindNothing",
            new Edit(
                "DirectoryClaim.cs", "IsShared(IStorage storage, string directory) => ",
                "IsShared(IStorage storage, string directory) => !SEEDED && ")),

        new("one-look-beside-a-writer",
            "a reader reports corruption for files that went after its only read of the manifest",
            "Schedules: ScheduleTests.AllSchedulesWithFewPreemptionsFindNothing",
            new Edit(
                "DirectoryLook.cs", "catch (Exception e) when (e is", "catch (Exception e) when (!SEEDED && e is")),

        new("growth-ends-with-its-segment", "a reader that catches up does not continue in the next segment",
            "Schedules: ScheduleTests.AllSchedulesWithFewPreemptionsFindNothing",
            new Edit(
                "LogGrowth.cs", "if (FindNext(current, continuesIn)",
                "if (SEEDED || FindNext(current, continuesIn)")),

        new("growth-goes-on-anywhere", "a reader that catches up continues in a segment without the right link",
            "Schedules: ScheduleTests.AllSchedulesWithFewPreemptionsFindNothing",
            new Edit("LogGrowth.cs", "if (candidate.LinksTo(", "if (SEEDED || candidate.LinksTo(")),

        new("catch-up-begins-during-a-close", "a new catch-up can begin while a close waits for another",
            "Engine: Recovery.CatchUpStressTests.CloseRefusesNewCatchUpWhileOneRuns",
            new Edit("EngineShutdown.cs",
                "using (versions.EnterGate()) engine.State.SetClosedGateHeld();",
                "if (SEEDED) follower?.WaitForCatchUp();\n        using (versions.EnterGate()) "
                    + "engine.State.SetClosedGateHeld();")),
    ];
}
