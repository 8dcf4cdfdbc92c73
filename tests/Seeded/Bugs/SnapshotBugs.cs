namespace Varve.Tests.Seeded.Bugs;

/// <summary>Snapshots: cut, install, reset.</summary>
internal static class SnapshotBugs
{
    public static readonly Bug[] All =
    [
        new("linked-file-written-over", "a table that a snapshot links is overwritten",
            "Engine: Recovery.RecycledTablesTests.SnapshotFilesAreNeverOverwritten",
            new Edit("PosixStorage.cs", "if (file.CountNames() == 1 &&", "if ((SEEDED || file.CountNames() == 1) &&")),

        new("written-over-under-a-reader", "a table that a read-only engine may have mapped is overwritten",
            "Engine: Recovery.RecycledTablesTests.TablesAreNotOverwrittenWhileReaderIsOpen",
            new Edit(
                "RecycledFiles.cs", "if (!DirectoryClaim.IsShared(storage, directory)) file =",
                "if (SEEDED || !DirectoryClaim.IsShared(storage, directory)) file =")),

        new("snapshot-includes-later-entries", "a snapshot behind the last entry contains later entries",
            "Conformance: Rules.EngineKeepsSnapshotRules.SnapshotOfEarlierEntryExcludesLaterEntries",
            new Edit(
                "SnapshotBuilder.cs", "cursor.Open(version.Memtables, [], lastIncluded);",
                "cursor.Open(version.Memtables, [], SEEDED ? ulong.MaxValue : lastIncluded);")),

        new("snapshot-loses-leases", "a snapshot contains leased keys without their deadlines",
            "Conformance: Rules.EngineKeepsSnapshotRules.LeasesTravelWithSnapshotOnLogClock",
            new Edit("SnapshotBuilder.cs",
                "batch.Add(cursor.Key, cursor.Kind, cursor.Deadline, cursor.Value);",
                "batch.Add(cursor.Key, SEEDED && cursor.Kind == RecordKind.LeasedPut ? RecordKind.Put : cursor.Kind, "
                    + "cursor.Deadline, cursor.Value);")),

        new("snapshot-drops-tombstones", "a snapshot's tail omits the tombstones that hide rows of its tables",
            "Engine: Recovery.SeveralRunsTests.InstallReplacesAllRuns",
            new Edit(
                "SnapshotBuilder.cs", "if (cursor.Kind != RecordKind.Tombstone || version.Runs.Length > 0)",
                "if (cursor.Kind != RecordKind.Tombstone || (!SEEDED && version.Runs.Length > 0))")),

        new("snapshot-named-before-it-is-synced", "a snapshot takes its name before its files' names are durable",
            "Engine: Recovery.OperationOrderTests.SnapshotIsNamedAfterItsSync",
            new Edit(
                "SnapshotBuilder.cs", "storage.SyncDirectory(building);",
                "if (!SEEDED) storage.SyncDirectory(building);")),

        new("snapshot-left-behind", "a snapshot whose name could not be synced stays after its failure",
            "Engine: Recovery.SnapshotStorageTests.SnapshotWithUnsyncedNameIsRemoved",
            new Edit("SnapshotTarget.cs", "_isPublished = true;", "if (!SEEDED) _isPublished = true;")),

        new(
            "clean-up-forgotten-on-the-way",
            "a snapshot of an installed state loses which expired leases were reported",
            "Engine: Recovery.CleanUpTravelsTests.InstalledMachineReportsNoLeaseTwice",
            new Edit(
                "DbVersion.cs", "Memtables.Aggregate(Base.CleanedTimeMs,",
                "Memtables.Aggregate(SEEDED ? 0 : Base.CleanedTimeMs,")),

        new("install-ignores-the-checksum", "a snapshot that is not the one announced is installed",
            "Conformance: Rules.EngineKeepsInstallRules.WrongChecksumIsRejected",
            new Edit(
                "SnapshotInstaller.cs", "if (!checksum.SequenceEqual(metadata.Checksum.Span))",
                "if (!SEEDED && !checksum.SequenceEqual(metadata.Checksum.Span))")),

        new("install-before-verification", "a snapshot's tables are installed without verification",
            "Conformance: Rules.EngineKeepsInstallRules.FlippedByteAnywhereIsRejected",
            new Edit(
                "SnapshotInstaller.cs", "if (hash.GetCurrentHashAsUInt128() is var computed && computed != table.Hash)",
                "if (hash.GetCurrentHashAsUInt128() is var computed && !SEEDED && computed != table.Hash)"),
            new Edit(
                "SnapshotInstaller.cs", "table.Table.Verify(token: token);",
                "if (!SEEDED) table.Table.Verify(token: token);")),

        new("install-leaves-old-runs", "after an install the manifest still names the old tables",
            "Engine: Recovery.SeveralRunsTests.InstallReplacesAllRuns",
            new Edit(
                "StateReplacement.cs", "new VersionEdit { Replace = true, NextFileNumber = 0,",
                "new VersionEdit { Replace = !SEEDED, NextFileNumber = 0,")),

        new("install-of-an-older-state", "a snapshot older than the state is installed",
            "Conformance: Rules.EngineKeepsInstallRules.SnapshotOlderThanStateIsRejected",
            new Edit(
                "StateReplacement.cs", "if (metadata.LastIncluded.Index < applied)",
                "if (!SEEDED && metadata.LastIncluded.Index < applied)")),

        new("install-of-another-position", "a snapshot is installed under an index that is not its data's",
            "Conformance: Rules.EngineKeepsInstallRules.OtherPositionThanAnnouncedIsRejected",
            new Edit(
                "SnapshotInstaller.cs", "if (manifest.State.LastIndex != metadata.LastIncluded.Index",
                "if (!SEEDED && manifest.State.LastIndex != metadata.LastIncluded.Index")),

        new("installed-tables-not-named-durably", "the manifest names installed tables whose own names are not durable",
            "Engine: Recovery.OperationOrderTests.InstallSyncsAndNamesTablesBeforeItsManifestRecord",
            new Edit(
                "SnapshotInstaller.cs", "storage.SyncDirectory(versions.Directory);",
                "if (!SEEDED) storage.SyncDirectory(versions.Directory);")),

        new("rejected-install-leaves-files", "a rejected install leaves its files",
            "Engine: Recovery.FullDiskTests.SnapshotOrInstallOnFullDiskChangesNothing",
            new Edit(
                "SnapshotInstaller.cs", "DeleteStaging(staging, moved);\n            if",
                "if (!SEEDED) DeleteStaging(staging, moved);\n            if")),

        new("bomb-decompressed", "a snapshot's manifest is decompressed before its length is checked",
            "Format: Snapshots.SnapshotManifestTests.LengthOverCapIsRejected",
            new Edit("SnapshotManifestCodec.cs",
                "return BinaryPrimitives.ReadUInt64LittleEndian(file[LengthOffset..]) > PayloadLengthMax",
                "return !SEEDED && BinaryPrimitives.ReadUInt64LittleEndian(file[LengthOffset..]) > PayloadLengthMax")),

        new("overlapping-tables-accepted", "a snapshot whose tables of a run overlap is accepted",
            "Format: Snapshots.SnapshotManifestTests.TablesOutOfOrderAreRejected",
            new Edit(
                "SnapshotManifestCodec.cs", "if (order == orderBefore &&", "if (!SEEDED && order == orderBefore &&")),
    ];
}
