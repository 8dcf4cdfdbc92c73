namespace Varve.Tests.Seeded.Bugs;

/// <summary>Space: a full disk, a small database, and what inspections and read-only engines leave alone.</summary>
internal static class SpaceBugs
{
    public static readonly Bug[] All =
    [
        new("asked-compaction-outlives-full-disk", "a requested compaction waits while the disk is full",
            "Engine: Recovery.FullDiskTests.RequestedCompactionsFailOnFullDiskAndLaterOnesSucceed",
            new Edit(
                "BackgroundScheduler.cs", "for (; asked > 0 && DequeueRequest()",
                "for (; !SEEDED && asked > 0 && DequeueRequest()")),

        new("snapshot-note-needs-room", "a snapshot on another disk fails if the log has no space for its marker",
            "Engine: Recovery.FullDiskTests.SnapshotOnOtherDiskNeedsNoLocalSpace",
            new Edit("SnapshotRecorder.cs",
                "if (generation.Snapshots.IsNext(metadata)) generation.Snapshots.AddGateHeld(metadata); return;",
                "if (SEEDED) throw; if (generation.Snapshots.IsNext(metadata)) "
                    + "generation.Snapshots.AddGateHeld(metadata); return;")),

        new("snapshot-needs-flush", "a snapshot on another disk fails with the flush that it waited for",
            "Engine: Recovery.FullDiskTests.SnapshotOnOtherDiskNeedsNoLocalSpace",
            new Edit("SnapshotService.cs",
                "return; } token.ThrowIfCancellationRequested(); var next",
                "if (SEEDED) throw; else return; } token.ThrowIfCancellationRequested(); var next")),

        new("past-outlives-full-disk", "the history keeps its tables while the disk is full",
            "Engine: Recovery.FullDiskTests.HistoryDropsTablesThoughFlushesFailOnFullDisk",
            new Edit(
                "CompactionScheduler.cs", "_completion.DropOldHistory();",
                "if (!SEEDED) _completion.DropOldHistory();")),

        new("first-segment-full-sized", "a database's first segment is as large as those under load",
            "Engine: Compaction.SmallDatabaseTests.OneKeyTakesLessThanOneMebibyteOnDisk",
            new Edit(
                "WalStart.cs", "pool.Acquire(WalMarker.SizeOf(WalRecordType.Link), pool.RestingLength)",
                "pool.Acquire(WalMarker.SizeOf(WalRecordType.Link), SEEDED ? pool.Length : pool.RestingLength)")),

        new("made-ahead-without-load", "a memtable is prepared before any apply",
            "Engine: Compaction.SmallDatabaseTests.NoMemtableIsPreparedUntilActiveSegmentIsQuarterFull",
            new Edit("ReadyMemtables.cs", "Math.Max(_ahead, aheadMin)", "Math.Max(SEEDED ? 1 : _ahead, aheadMin)")),

        new("made-ahead-left-at-close", "prepared segments stay on the disk after a close",
            "Engine: Compaction.SmallDatabaseTests.CloseDeletesPreparedSegments",
            new Edit(
                "ReadyMemtables.cs", "DropReady(segments.Delete);",
                "DropReady(segment => { if (SEEDED) segment.Dispose(); else segments.Delete(segment); });")),

        new("sweep-fails-on-file-in-use", "an open fails on a file in use that it cannot delete",
            "Conformance: Surface.FilesInUseTests.OpenKeepsTablesReadByViewOfClosedEngine",
            new Edit("OrphanSweeper.cs", "{ DurableFile.TryDelete(storage, PathOf(name)); }",
                "{ if (SEEDED) storage.Delete(PathOf(name)); else DurableFile.TryDelete(storage, PathOf(name)); }")),

        new("old-manifest-undoes-the-new", "the manifest that CURRENT names is deleted if the old one cannot be",
            "Engine: Recovery.OldManifestTests.UndeletableOldManifestStaysBesideNewOne",
            new Edit("ManifestStore.cs", "if (old != 0) DurableFile.TryDelete(_storage, PathOf(old));",
                "try { if (old != 0) { if (SEEDED) _storage.Delete(PathOf(old)); "
                    + "else DurableFile.TryDelete(_storage, PathOf(old)); } } catch (IOException) when (SEEDED) { "
                    + "DurableFile.TryDelete(_storage, path); throw; }")),

        new("moves-without-bound", "a run gains tables without bound",
            "Engine: Compaction.TablesInRunTests.TablesGrowInsteadOfMultiplying",
            new Edit("CompactionPicker.cs", "if (upper.Tables.Length + bottom.Tables.Length > tablesMax) return false;",
                "if (!SEEDED && upper.Tables.Length + bottom.Tables.Length > tablesMax) return false;")),

        new("tables-of-one-size", "merges make tables of one size, however many",
            "Engine: Compaction.TablesInRunTests.TablesGrowInsteadOfMultiplying",
            new Edit(
                "MergeJob.cs", "Math.Max(options.TableBytes, bytes",
                "Math.Max(options.TableBytes, SEEDED ? 0 : bytes")),

        new("no-mapping-left-latches", "a shortage of mappings latches the engine",
            "Engine: Recovery.DescriptorsTests.TwentyDescriptorShortagesLoseNothing",
            new Edit(
                "Shortage.cs", "|| exception is TooManyMappingsException;",
                "|| (!SEEDED && exception is TooManyMappingsException);")),

        new("repair-lists-each-record", "a repair lists every record behind a break of the log as a loss of its own",
            "Engine: Inspection.RepairTests.BrokenLogIsReportedAsOneLoss",
            new Edit(
                "SalvagedLog.cs", "_range is { } range && range.Last == kept",
                "!SEEDED && _range is { } range && range.Last == kept")),

        new("verify-refuses-open-database", "verify refuses a database that an engine has open",
            "Engine: Inspection.VerificationTests.OpenDatabaseIsCheckedAtOneIndex",
            new Edit(
                "DatabaseCheck.cs", "LiveCheck.Run(storage, directory, deep, findings);",
                "if (SEEDED) throw; LiveCheck.Run(storage, directory, deep, findings);")),

        new("live-check-without-tables", "verify beside an engine omits the tables",
            "Engine: Inspection.VerificationTests.OpenDatabaseIsCheckedAtOneIndex",
            new Edit("LiveCheck.cs", "if (deep) TableCheck", "if (!SEEDED && deep) TableCheck")),

        new("live-check-by-one-clock", "verify beside an engine assumes one lease clock",
            "Engine: Inspection.RepairTests.LogClockDatabaseIsVerifiedBesideItsOwnerAndRepaired",
            new Edit("LiveCheck.cs", "TakesStoredLeaseClock = true", "TakesStoredLeaseClock = !SEEDED")),

        new(
            "read-only-tail-takes-writers-number",
            "the tail of a read-only engine's snapshot gets a number that the writer may use",
            "Engine: Recovery.ReadOnlySnapshotTests.TailTableDoesNotJoinDatabase",
            new Edit(
                "SnapshotService.cs", "_engine.Options.ReadOnly ? (Guid.NewGuid()",
                "_engine.Options.ReadOnly && !SEEDED ? (Guid.NewGuid()")),

        new(
            "read-only-snapshot-by-name-alone",
            "a read-only engine cannot cut a snapshot once the writer has deleted a table",
            "Engine: Recovery.ReadOnlySnapshotTests.TablesDeletedByWriterAreCopied",
            new Edit("SnapshotBuilder.cs", "when (options.ReadOnly)", "when (options.ReadOnly && !SEEDED)")),

        new(
            "listing-without-descriptors-is-unknown",
            "a directory listing without descriptors fails with an untyped error",
            "Engine: Storage.NoDescriptorsTests.ListingWithoutDescriptorIsOrdinaryError",
            new Edit(
                "PosixStorage.cs", "when (PortableError.TryTranslate(e, directory,",
                "when (!SEEDED & PortableError.TryTranslate(e, directory,")),
    ];
}
