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
                "foreach (var one in left) one.Dispose();",
                "foreach (var one in left) { if (!SEEDED) one.Dispose(); }")),

        new("staged-not-deleted", "the copies of a staged snapshot stay after its disposal",
            "Conformance: Surface.StagedSnapshotTests.DisposalDeletesCopies",
            new Edit("StagedSnapshot.cs",
                "if (Interlocked.CompareExchange(ref _phase, Ended, Staged) != Staged) return; _state.Delete();",
                "if (Interlocked.CompareExchange(ref _phase, Ended, Staged) != Staged) return; "
                    + "if (SEEDED) SnapshotInstaller.Release(_state.Tables); else _state.Delete();")),

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

        new("stream-taken-without-tables-hash", "an unpacked table is not compared with its hash",
            "Conformance: Surface.StagedSnapshotTests.CutOrDamagedStreamLeavesNothing",
            new Edit("PackUnpacker.cs",
                "if (!PackFormat.TryDecodeTrailer(trailer, hash, out var mismatch))",
                "if (!PackFormat.TryDecodeTrailer(trailer, hash, out var mismatch) && !SEEDED)"),
            new Edit("PackUnpacker.cs",
                "if (hash.GetCurrentHashAsUInt128() is var computed && computed != table.Hash)",
                "if (hash.GetCurrentHashAsUInt128() is var computed && computed != table.Hash && !SEEDED)")),
    ];
}
