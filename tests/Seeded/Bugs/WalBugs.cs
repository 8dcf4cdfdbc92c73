namespace Varve.Tests.Seeded.Bugs;

/// <summary>The log: its records, its segments, its recovery, its syncs.</summary>
internal static class WalBugs
{
    public static readonly Bug[] All =
    [
        new("record-sealed-before-its-outcomes", "a record is finished before all of its payload is in place",
            "Engine: Wal.TornTailTests.RecordWithFailedEntriesSurvivesKill",
            new Edit("RecordBuilder.cs",
                "ChunkColumnsWriter.WriteOutcomes(WalRecordHeader.PayloadOf(room), positions);",
                "if (!SEEDED) ChunkColumnsWriter.WriteOutcomes(WalRecordHeader.PayloadOf(room), positions);"),
            new Edit("CommitPipeline.cs",
                "CommitRecordGateHeld(record, mark);",
                "var at = (int)wal.Active.End; CommitRecordGateHeld(record, mark);\n        if (SEEDED) "
                    + "ChunkColumnsWriter.WriteOutcomes(wal.Active.SpanAt(at, record.Length)[WalRecordHeader.Size..], "
                    + "positions);")),

        new("record-without-salt", "a record's checksum is not seeded with its segment's salt",
            "Engine: Wal.TornTailTests.ValueContainingLogRecordsIsHarmless",
            new Edit("WalRecordHeader.cs",
                "BinaryPrimitives.WriteUInt64LittleEndian(record, XxHash3.HashToUInt64(record[OffsetField..], "
                    + "(long)salt));",
                "BinaryPrimitives.WriteUInt64LittleEndian(record, XxHash3.HashToUInt64(record[OffsetField..], "
                    + "SEEDED ? 0 : "
                    + "(long)salt));"),
            new Edit("WalRecordHeader.cs",
                "var computed = XxHash3.HashToUInt64(record[OffsetField..], (long)salt);",
                "var computed = XxHash3.HashToUInt64(record[OffsetField..], SEEDED ? 0 : (long)salt);")),

        new("record-of-another-place", "a record is accepted at an offset other than its own",
            "Format: Wal.WalSurvival.RecordOfOtherOffsetOrSegmentIsRejected",
            new Edit("WalRecordHeader.cs",
                "if (BinaryPrimitives.ReadInt64LittleEndian(source[OffsetField..]) != offset)",
                "if (!SEEDED && BinaryPrimitives.ReadInt64LittleEndian(source[OffsetField..]) != offset)")),

        new("record-checksum-ignored", "a record is accepted without its checksum",
            "Engine: Wal.TornTailTests.TornTailIsDroppedAndCounted",
            new Edit("WalRecordHeader.cs",
                "if (stored != computed)", "if (!SEEDED && stored != computed)")),

        new("record-length-trusted", "a record's length is used before it is checked",
            "Format: Wal.WalSurvival.TruncatedRecordIsDetected",
            new Edit("WalRecordHeader.cs",
                "if (length < Size || length > source.Length || length > LengthMax || length % 8 != 0)",
                "if (!SEEDED && (length < Size || length > source.Length || length > LengthMax || length % 8 != 0))")),

        new(
            "torn-tail-is-a-clean-end", "after a torn tail the log continues in the same segment, over the remains",
            "Engine: Wal.TornTailTests.UnsyncedRecordsAfterDamagedOneAreDroppedForGood",
            new Edit("WalRecovery.cs",
                "return chain.HasRecordsBeyond || chain.TornBytes > 0 ?",
                "return !SEEDED && (chain.HasRecordsBeyond || chain.TornBytes > 0) ?")),

        new("corruption-is-a-torn-tail", "a damaged record that was known to be durable is dropped as a torn tail",
            "Engine: Wal.TornTailTests.DamagedRecordBeforeSyncedOneIsCorruption",
            new Edit("WalRecovery.cs", "if (synced > end)", "if (!SEEDED && synced > end)")),

        new("nothing-looked-for-beyond-the-end", "recovery does not ask which records later ones prove durable",
            "Engine: Wal.TornTailTests.PowerRefusesFlippedBitInAnyRecordButLast",
            new Edit("LogChain.cs",
                "if (scan.Synced > _synced) _synced = scan.Synced;",
                "if (!SEEDED && scan.Synced > _synced) _synced = scan.Synced;")),

        new("link-not-checked", "recovery continues in any next segment without checking its link: a hole",
            "Engine: Recovery.MissingFilesTests.MissingSegmentBeforeSyncedOneIsCorruption",
            new Edit("WalSegment.cs",
                "&& SegmentLink.Read(records.Current.Payload) == previous.LinkToEnd",
                "&& (SEEDED || SegmentLink.Read(records.Current.Payload) == previous.LinkToEnd)")),

        new("segment-of-another-database", "a segment of another database is replayed",
            "Engine: Wal.RecycledSegmentTests.SegmentOfAnotherDatabaseIsRefused",
            new Edit(
                "WalSegment.cs", "if (header.DatabaseId != databaseId)",
                "if (!SEEDED && header.DatabaseId != databaseId)")),

        new("appended-after-capture-counts-as-synced", "a sync reports records durable that were appended while it ran",
            "Engine: Recovery.GroupCommitTests.SegmentThatEndedDuringSyncIsSyncedAgain",
            new Edit("WalWriter.cs",
                "if (ticket.End > Synced) Synced = ticket.End;",
                "if (SEEDED) Synced = new LogOffset(Active.Number, Active.End); "
                    + "else if (ticket.End > Synced) Synced = ticket.End;")),

        new("segment-that-grew-is-forgotten", "a segment that grew and ended during a sync is not synced again",
            "Engine: Recovery.GroupCommitTests.SegmentThatEndedDuringSyncIsSyncedAgain",
            new Edit("WalWriter.cs",
                "for (var i = 0; i < ticket.Segments.Count - 1; i++)",
                "for (var i = 0; i < ticket.Segments.Count - (SEEDED ? 0 : 1); i++)")),

        new("failed-sync-tried-again", "a failed sync is not latched: the next one succeeds without having written",
            "Engine: Recovery.FailedSyncTests.FailedSyncLatchesAndReadsContinue",
            new Edit("WalSyncer.cs",
                "_engine.State.Fail(e);\n            throw new EngineFaultedException(e);",
                "if (!SEEDED) _engine.State.Fail(e);\n            throw new EngineFaultedException(e);")),

        new("published-before-the-sync", "under Power an entry is visible before it is durable",
            "Engine: Recovery.FailedSyncTests.FailedSyncLatchesAndReadsContinue",
            new Edit("Publisher.cs",
                "if (_awaitsSync) return;", "if (!SEEDED && _awaitsSync) return;")),

        new("acknowledged-before-the-sync", "under Power a chunk is acknowledged before it is durable",
            "Engine: Recovery.FailedSyncTests.FailedSyncLatchesAndReadsContinue",
            new Edit(
                "Publisher.cs", "engine.Counters.ChunksApplied++;",
                "engine.Counters.ChunksApplied++; if (SEEDED) generation.Applied.Publish(wal.Position, wal.Mark);"),
            new Edit(
                "AsyncApplier.cs", "return ticket.NeedsSync ?", "return !SEEDED && ticket.NeedsSync ?"),
            new Edit(
                "CommitPipeline.cs", "if (ticket.NeedsSync) syncer.Wait(ticket.End);",
                "if (!SEEDED && ticket.NeedsSync) syncer.Wait(ticket.End);")),

        new("segment-directory-not-synced", "a new segment is used before its name is durable",
            "Engine: Recovery.OperationOrderTests.OpenSyncsDirectoryOfNewSegment",
            new Edit(
                "SegmentPool.cs", "storage.SyncDirectory(directory);",
                "if (!SEEDED) storage.SyncDirectory(directory);")),

        new(
            "segment-not-allocated", "a segment's blocks are not reserved: on a full disk a store kills the process",
            "Engine: Recovery.OperationOrderTests."
                + "SegmentAndItsNameAreSyncedBeforeUse",
            new Edit(
                "SegmentPool.cs", "file.Allocate(bytes);",
                "if (SEEDED) file.Write(bytes - 1, [0]); else file.Allocate(bytes);")),

        new("recycled-header-not-synced", "a recycled segment takes its new name before its new header is durable",
            "Engine: Recovery.OperationOrderTests.RecycledSegmentGetsNewHeaderUnderTemporaryName",
            new Edit(
                "WalSegment.cs", "Mapping.Sync(0, WalSegmentHeader.Size);",
                "if (!SEEDED) Mapping.Sync(0, WalSegmentHeader.Size);")),

        new("stale-record-not-ended", "a recycled segment's old bytes continue where its new records end",
            "Engine: Wal.RecycledSegmentTests.CleanEndInRecycledSegmentIsNoTornTail",
            new Edit("WalSegment.cs",
                "if (Length - offset >= 2 * sizeof(long))",
                "if (!SEEDED && Length - offset >= 2 * sizeof(long))")),

        new("next-segment-not-named", "a segment ends without naming its successor",
            "Engine: Wal.SealedSegmentTests.MissingLastSegmentIsCorruption",
            new Edit(
                "WalWriter.cs", "if (FreeBytes >= WalMarker.SizeOf(WalRecordType.Sealed))",
                "if (!SEEDED && FreeBytes >= WalMarker.SizeOf(WalRecordType.Sealed))")),

        new(
            "named-segment-let-go", "the log continues in a third segment, and a named successor is dropped",
            "Engine: Wal.SealedSegmentTests.EmptySegmentIsDroppedOnlyAfterAnotherIsNamed",
            new Edit(
                "StartDecision.cs", "if (log.IsSealed)", "if (!SEEDED && log.IsSealed)")),

        new(
            "segment-deleted-before-the-manifest",
            "a flushed segment is deleted before the manifest record that obsoletes it",
            "Engine: Recovery.OperationOrderTests.SegmentIsDeletedAfterManifestObsoletesIt",
            new Edit("Flusher.cs",
                "var change = Describe(version, memtable, tables, counted);",
                "var change = Describe(version, memtable, tables, counted);\n"
                    + "            if (SEEDED) versions.Storage.Delete(memtable.Segment.Path);")),

        new("full-disk-latches", "a full disk is treated as a failure of the disk",
            "Engine: Recovery.FullDiskTests.FiftyFullDisksLoseNothing",
            new Edit("MemtableRotation.cs",
                "catch (IOException e) when (!Shortage.IsMet(e))",
                "catch (IOException e) when (SEEDED || !Shortage.IsMet(e))")),

        new("full-disk-acknowledges", "a chunk without space on the disk is acknowledged",
            "Engine: Recovery.FullDiskTests.FiftyFullDisksLoseNothing",
            new Edit(
                "CommitPipeline.cs", "rotation.ReserveGateHeld(lengthMax, positions.Length);",
                "try { rotation.ReserveGateHeld(lengthMax, positions.Length); } "
                    + "catch (StorageFullException) when (SEEDED) "
                    + "{ return new CommitTicket(count, wal.End, false); }")),

        new("close-without-sync", "a close does not sync the log",
            "Engine: Recovery.OperationOrderTests.CloseSyncsLog",
            new Edit("EngineShutdown.cs",
                "if (background is null || engine.State.Fault is not null) return;",
                "if (SEEDED || background is null || engine.State.Fault is not null) return;")),

        new("ended-segment-not-synced", "a sync omits segments that ended before it",
            "Simulation: Runs.SimulationTests.FixedLivesRecoverExactly",
            new Edit("WalWriter.cs", "segments.AddRange(_unsynced);", "if (!SEEDED) segments.AddRange(_unsynced);")),

        new("sync-begins-too-late", "a sync omits the part of a segment up to the previous durable position",
            "Simulation: Runs.SimulationTests.FixedLivesRecoverExactly",
            new Edit(
                "WalWriter.cs", "segment.Number == ticket.Synced.Segment ?",
                "SEEDED || segment.Number == ticket.Synced.Segment ?")),

        new("sync-ends-too-early", "a sync ends in every segment at the offset where it ends in the last",
            "Simulation: Runs.SimulationTests.FixedLivesRecoverExactly",
            new Edit(
                "WalWriter.cs", "segment.Number == ticket.End.Segment ?",
                "SEEDED || segment.Number == ticket.End.Segment ?")),

        new("open-vouches-without-a-sync",
            "after a torn tail the new segment's link declares records durable that are not",
            "Engine: Recovery.OperationOrderTests.OpenSyncsTornSegmentBeforeItsSuccessor",
            new Edit("WalStart.cs",
                "if (sync != StartSync.Nothing) segment.Sync();",
                "if (sync == StartSync.Unsynced || (!SEEDED && sync == StartSync.WholeLog)) segment.Sync();")),
    ];
}
