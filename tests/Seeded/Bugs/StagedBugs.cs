namespace Varve.Tests.Seeded.Bugs;

/// <summary>Snapshots that are staged, assembled and streamed.</summary>
internal static class StagedBugs
{
    public static readonly Bug[] All =
    [
        new("staged-install-unchecked", "a staged snapshot replaces entries that were applied behind it",
            "Conformance: Surface.StagedSnapshotTests.EntriesAppliedMeanwhileRefuseInstall",
            new Edit("StateReplacement.cs",
                "applied => RejectOlder(staged.Metadata, path, applied)",
                "applied => { if (!SEEDED) RejectOlder(staged.Metadata, path, applied); }")),

        new("staged-left-at-close", "a close leaves the copies of a staged snapshot in the directory",
            "Conformance: Surface.StagedSnapshotTests.ClosingDeletesCopies",
            new Edit("LongRunningTasks.cs",
                "foreach (var delete in left) delete();",
                "foreach (var delete in left) { if (!SEEDED) delete(); }")),

        new("staged-not-deleted", "the copies of a staged snapshot stay after its disposal",
            "Conformance: Surface.StagedSnapshotTests.DisposalDeletesCopies",
            new Edit("StagedSnapshot.cs",
                "_state.Delete();",
                "if (SEEDED) SnapshotInstaller.Release(_state.Tables); else _state.Delete();")),

        new("staged-deleted-behind-close", "a staged snapshot is disposed of beside a close, and it does not wait",
            "Schedules: ScheduleTests.StagedSnapshotEndsBeforeClose",
            new Edit("StagedSnapshot.cs",
                "public void Dispose() => _tasks.TryRunHere(() =>",
                "public void Dispose() => ((Func<Action, bool>)(SEEDED ? run => { run(); return true; } : "
                    + "_tasks.TryRunHere))(() =>")),

        new("staged-refused-behind-close", "a refused install deletes the copies behind a close",
            "Schedules: ScheduleTests.StagedSnapshotEndsBeforeClose",
            new Edit("StagedSnapshot.cs",
                "_tasks.RunHere(InstallHere);",
                "if (SEEDED) InstallHere(); else _tasks.RunHere(InstallHere);")),

        new("snapshot-of-a-state-that-is-gone", "a snapshot without an index looks twice for the present state",
            "Schedules: ScheduleTests.SnapshotBesideResetHasOneState",
            new Edit("SnapshotService.cs",
                ": AcquireCurrent(out given);",
                ": SEEDED ? AcquireVersionAt(given = _sessions.Position.Id) : AcquireCurrent(out given);")),

        new("pack-ends-with-its-receiver", "a receiver that stops behind the last byte fails the packing",
            "Conformance: Surface.StagedSnapshotTests.ReceiverMayStopBehindLastByte",
            new Edit("PackWriter.cs",
                "if (result.IsCompleted && !isLast)", "if (result.IsCompleted && (SEEDED || !isLast))")),

        new("link-into-nowhere", "a link into a missing directory says that there is no such table",
            "Conformance: Surface.StagedSnapshotTests.LinkIntoMissingDirectoryNamesIt",
            new Edit("LiveTables.cs",
                "if (!storage.DirectoryExists(directory))", "if (!SEEDED && !storage.DirectoryExists(directory))"),
            new Edit("LiveTables.cs",
                "when (storage.DirectoryExists(directory))", "when (SEEDED || storage.DirectoryExists(directory))")),

        new("bytes-behind-pack-ignored", "a packed file may have bytes behind its trailer",
            "Format: Snapshots.PackedSnapshots.BytesBehindPackAreRejectedWhereItMustEnd",
            new Edit("PackUnpacker.cs", "if (endsWithPack)", "if (endsWithPack && !SEEDED)")),

        new("staging-not-swept", "an open leaves the directory that a snapshot was being staged in",
            "Engine: Recovery.StagedInstallTests.KillAtAnyCallLeavesOldOrNewStateWithItsMark",
            new Edit("OrphanSweeper.cs",
                "else if (FileNames.IsStaging(name))", "else if (!SEEDED && FileNames.IsStaging(name))")),

        new("staged-tables-not-swept", "an open leaves tables that were staged and not installed",
            "Engine: Recovery.StagedInstallTests.KillAtAnyCallLeavesOldOrNewStateWithItsMark",
            new Edit("OrphanSweeper.cs",
                "out var table) && !named.Contains(table))", "out var table) && !SEEDED && !named.Contains(table))")),

        new("link-of-a-retired-table", "a table is linked without a hold on the version that has it",
            "Engine: Recovery.StagedInstallTests.LinkBesideCompactionHasTableThatWasAskedFor",
            new Edit("LiveTables.cs",
                "if (table is null || !storage", "if (SEEDED) version.Release(); if (table is null || !storage"),
            new Edit("LiveTables.cs",
                "finally { version.Release(); }", "finally { if (!SEEDED) version.Release(); }")),

        new("stream-taken-without-tables-hash", "an unpacked table is not compared with its hash",
            "Conformance: Surface.StagedSnapshotTests.CutOrDamagedStreamLeavesNothing",
            new Edit("PackDecoder.cs",
                "if (!PackFormat.TryDecodeTrailer(bytes, hash, out var error))",
                "if (!PackFormat.TryDecodeTrailer(bytes, hash, out var error) && !SEEDED)"),
            new Edit("PackDecoder.cs",
                "if (computed != table.Hash)", "if (computed != table.Hash && !SEEDED)")),
    ];
}
