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
