namespace Varve.Tests.Seeded.Bugs;

/// <summary>Replacement of state or files in use, and counts and flushes meanwhile.</summary>
internal static class ReplacementBugs
{
    public static readonly Bug[] All =
    [
        new("install-without-memory-latches", "an install without memory latches though it has changed nothing",
            "Engine: Callers.OutOfMemoryTests.InstallOrResetWithoutMemoryLeavesOldStateServing",
            new Edit("StateReplacement.cs",
                "(e is OutOfMemoryException && !isWriting))", "(!SEEDED && e is OutOfMemoryException && !isWriting))")),

        new(
            "install-goes-on-after-half-a-record",
            "an install that runs out of memory within its manifest record leaves the old state serving",
            "Engine: Callers.OutOfMemoryTests.InstallThatRunsOutOfMemoryWithinItsRecordLatches",
            new Edit("ManifestStore.cs", "isWriting = true;", "isWriting = !SEEDED;")),

        new("unpublished-entries-flushed", "a flush writes entries that are in the log and not yet durable",
            "Engine: Recovery.FailedSyncTests.EntriesNotYetDurableAreNotFlushed",
            new Edit(
                "Flusher.cs",
                "if (version.Generation.Applied.Read().Index < last.Index)",
                "if (!SEEDED && version.Generation.Applied.Read().Index < last.Index)")),

        new("merge-counted-too-late", "statistics show a merged run and do not count the merge yet",
            "Schedules: ScheduleTests.AllSchedulesWithFewPreemptionsFindNothing",
            new Edit(
                "MergeJob.cs", "_engine.Counters.Compactions++;", "if (!SEEDED) _engine.Counters.Compactions++;"),
            new Edit(
                "MergeJob.cs", "_versions.InstallGateHeld(change);\n            }\n",
                "_versions.InstallGateHeld(change);\n            }\n\n"
                    + "            if (SEEDED) _engine.Counters.Compactions++;\n")),

        new(
            "open-fails-on-temporary-in-use", "an open fails on a temporary file in use that it cannot delete",
            "Conformance: Surface.FilesInUseTests.MappedSegmentOutlivesItsWriterUnderTemporaryName",
            new Edit("OrphanSweeper.cs",
                "if (FileNames.IsTemporary(name)) DurableFile.TryDelete(storage, PathOf(name));",
                "if (FileNames.IsTemporary(name)) { if (SEEDED) storage.Delete(PathOf(name)); "
                    + "else DurableFile.TryDelete(storage, PathOf(name)); }")),

        new(
            "open-fails-on-staging-in-use",
            "an open fails on a staging directory with a file in use that it cannot delete",
            "Conformance: Surface.FilesInUseTests.OpenKeepsTemporaryAndStagedFilesInUse",
            new Edit("OrphanSweeper.cs",
                "DirectoryTree.TryDelete(storage, PathOf(name.TrimEnd('/')));",
                "{ if (SEEDED) DirectoryTree.Delete(storage, PathOf(name.TrimEnd('/'))); "
                    + "else DirectoryTree.TryDelete(storage, PathOf(name.TrimEnd('/'))); }")),

        new(
            "replacement-needs-the-first-temporary-name",
            "a file cannot be replaced while its temporary name is in use",
            "Conformance: Surface.FilesInUseTests.OpenKeepsTemporaryAndStagedFilesInUse",
            new Edit(
                "DurableFile.cs", "while (storage.FileExists(temporary))",
                "while (!SEEDED && storage.FileExists(temporary))")),

        new("sparse-segment-stays", "a close leaves a large segment with one key in it",
            "Engine: Compaction.SmallDatabaseTests.CloseLeavesLargeSegmentWithOneKey",
            new Edit(
                "EngineShutdown.cs", "if (background.TryFlushSparseSegment())",
                "if (!SEEDED && background.TryFlushSparseSegment())")),

        new("chunk-outside-the-budget", "the memory of a chunk does not count against the budget",
            "Engine: Versions.MemoryBudgetTests.LargeChunkCountsAgainstBudget",
            new Edit("MemtableSupply.cs", "+ chunkBytes);", "+ (SEEDED ? 0 : chunkBytes));")),

        new("entries-double", "the buffers of a large chunk grow by doubling and leave as much garbage again",
            "Engine: Applying.ChunkBuffersTests.LargeChunkIsDecodedIntoBuffersOfItsSize",
            new Edit(
                "ChunkDecoder.cs", "buffers.ReserveEntries(count + reader.CountAhead() + 1);",
                "buffers.ReserveEntries(SEEDED ? count * 2 : count + reader.CountAhead() + 1);")),

        new("any-length-is-an-entry", "a malformed chunk reserves buffers for entries that its bytes cannot hold",
            "Engine: Applying.ChunkBuffersTests.BytesThatCannotBeEntriesReserveNoBuffer",
            new Edit("ChunkReader.cs", "if (length < EntryMin ||", "if (length < (SEEDED ? 0UL : EntryMin) ||")),
    ];
}
