namespace Varve.Tests.Seeded.Bugs;

/// <summary>Files: how they come to be, are named, found and swept; and the manifest.</summary>
internal static class StorageBugs
{
    public static readonly Bug[] All =
    [
        new("replace-without-directory-sync", "a replaced file is reported durable before its name is",
            "Engine: Storage.DurableFileTests.ReplaceWritesSyncsRenamesThenSyncsDirectory",
            new Edit(
                "DurableFile.cs", "storage.SyncDirectory(DirectoryOf(path));",
                "if (!SEEDED) storage.SyncDirectory(DirectoryOf(path));")),

        new("replace-without-file-sync", "a file takes its name before its bytes are durable",
            "Engine: Storage.DurableFileTests.ReplaceWritesSyncsRenamesThenSyncsDirectory",
            new Edit("DurableFile.cs", "file.Sync();", "if (!SEEDED) file.Sync();")),

        new(
            "made-directory-not-named-durably",
            "directories that an open creates above a database have no durable names",
            "Simulation: Runs.DurableNamesTests.DatabaseInNewDirectoriesSurvivesPowerLoss",
            new Edit(
                "DirectoryTree.cs", "storage.SyncDirectory(parent);", "if (!SEEDED) storage.SyncDirectory(parent);")),

        new(
            "found-directory-not-named-durably",
            "an open trusts a directory that an earlier open created and could not sync",
            "Simulation: Runs.DurableNamesTests.DatabaseSurvivesPowerLossAfterFailedParentSync",
            new Edit(
                "DatabaseCreator.cs", "is { Length: > 0 } parent) storage.SyncDirectory(parent);",
                "is { Length: > 0 } parent && !SEEDED) storage.SyncDirectory(parent);")),

        new("failed-sync-swallowed", "a failed sync is reported as done",
            "Engine: Storage.PosixStorageTests.FailedSyncIsReported",
            new Edit("PosixFile.cs",
                "if (!PosixError.LastWasInterrupted) throw PosixError.Last(\"fdatasync\", Path);",
                "if (SEEDED) break; else if (!PosixError.LastWasInterrupted) throw PosixError.Last(\"fdatasync\", "
                    + "Path);")),

        new("managed-calls-follow-links", "the managed storage follows a link in the place of a file",
            "Engine: Storage.PortableStorageTests.LinkIsNotFollowed",
            new Edit(
                "PortableStorage.cs", "new FileInfo(path).LinkTarget is not null",
                "new FileInfo(path).LinkTarget is not null && !SEEDED")),

        new("linked-directory-listed", "the managed storage lists a linked directory as one to delete",
            "Engine: Storage.PortableStorageTests.LinkIsNotFollowed",
            new Edit(
                "PortableStorage.cs", "entry.IsDirectory && (entry.Attributes & FileAttributes.ReparsePoint) == 0",
                "entry.IsDirectory && (SEEDED || (entry.Attributes & FileAttributes.ReparsePoint) == 0)")),

        new("lock-file-for-everybody", "the managed storage makes the lock file with the mode of any new file",
            "Engine: Storage.PortableStorageTests.FilesAreAccessibleToOwnerOnly",
            new Edit(
                "PortableStorage.cs",
                "return Private(File.OpenHandle(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None));",
                "if (SEEDED) return File.OpenHandle(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);"
                    + " else return Private(File.OpenHandle(path, FileMode.OpenOrCreate, FileAccess.ReadWrite,"
                    + " FileShare.None));")),

        new("repair-keeps-tables-mapped", "a repair opens its output while it has intermediate tables mapped",
            "Engine: Inspection.RepairTests.RepairWhereMappedFilesStayLeavesOnlyItsResult",
            new Edit(
                "Salvage.cs", "foreach (var table in _owned) table.Release();",
                "if (!SEEDED) foreach (var table in _owned) table.Release();")),

        new("repair-into-source-by-other-case", "a repair writes into its source if the path has another case",
            "Engine: Inspection.RepairTests.RepairRefusesSourceInOtherCaseWhereCaseDoesNotCount",
            new Edit("Repair.cs", "StringComparison.OrdinalIgnoreCase", "SEEDED ? StringComparison.Ordinal"
                + " : StringComparison.OrdinalIgnoreCase")),

        new("link-followed", "a symbolic link under a name of the database is followed",
            "Engine: Storage.PosixStorageTests.SymbolicLinkIsNotFollowed",
            new Edit(
                "PosixStorage.cs", "flags | Libc.O_NOFOLLOW | Libc.O_NONBLOCK",
                "flags | (SEEDED ? 0 : Libc.O_NOFOLLOW) | Libc.O_NONBLOCK")),

        new("lock-not-taken", "two engines open one directory",
            "Engine: Recovery.MissingFilesTests.SecondEngineOnDirectoryIsRefused",
            new Edit(
                "DirectoryClaim.cs", "?? throw new AlreadyOpenException(directory);",
                "?? (SEEDED ? new AssumedShare() : throw new AlreadyOpenException(directory));")),

        new("lost-identity-means-new", "a database without its identity file is created anew over its files",
            "Engine: Recovery.MissingFilesTests.MissingFileIsCorruption",
            new Edit("DatabaseCreator.cs",
                "if (FileNames.TryParse(name, FileNames.TableSuffix, out _) || FileNames.TryParse(name, "
                    + "FileNames.SegmentSuffix, out _))",
                "if (!SEEDED && (FileNames.TryParse(name, FileNames.TableSuffix, out _) || FileNames.TryParse(name, "
                    + "FileNames.SegmentSuffix, out _)))")),

        new("current-of-another-database", "CURRENT of another database is accepted",
            "Engine: Recovery.MissingFilesTests.IdentityOfOtherDatabaseIsCorruption",
            new Edit(
                "DirectoryLook.cs", "if (current.DatabaseId != databaseId)",
                "if (!SEEDED && current.DatabaseId != databaseId)")),

        new(
            "sweep-takes-a-named-table",
            "the sweep at open deletes tables that the manifest names, of all runs but the newest",
            "Engine: Recovery.SeveralRunsTests.OpenKeepsOrderCountAndTermsOfRuns",
            new Edit(
                "OrphanSweeper.cs", "var named = manifest.Content.Runs.SelectMany",
                "var named = manifest.Content.Runs.Take(SEEDED ? 1 : int.MaxValue).SelectMany")),

        new("unknown-temporary-swept", "a foreign temporary file is swept",
            "Engine: Recovery.MissingFilesTests.LeftoversAreSweptAndUnknownFilesKept",
            new Edit(
                "FileNames.cs", "return bare is Identity or Current", "return SEEDED || bare is Identity or Current")),

        new("name-that-only-looks-like-ours", "a file with a similar name is taken for one of the database",
            "Engine: Recovery.MissingFilesTests.LeftoversAreSweptAndUnknownFilesKept",
            new Edit(
                "FileNames.cs", "&& Numbered(number, suffix) == name;",
                "&& (SEEDED || Numbered(number, suffix) == name);")),

        new("manifest-edit-not-synced", "a version is acted on before its edit is durable",
            "Engine: Recovery.OperationOrderTests.FlushSyncsTablesThenNamesThemThenSyncsManifest",
            new Edit("ManifestStore.cs", "_file.Sync();", "if (!SEEDED) _file.Sync();")),

        new("version-before-its-edit", "a version becomes current before its edit is in the manifest",
            "Engine: Recovery.FullDiskTests.ManifestOnFullDiskKeepsVersion",
            new Edit(
                "VersionSet.cs", "_manifest.Append(change.ToEdit(Numbers.Peek));",
                "if (!SEEDED) _manifest.Append(change.ToEdit(Numbers.Peek));"),
            new Edit(
                "VersionSet.cs", "change.MarkReplacedFiles(RecycledFiles);\n        SwitchGateHeld(next);",
                "change.MarkReplacedFiles(RecycledFiles);\n        SwitchGateHeld(next);\n"
                    + "        if (SEEDED) _manifest.Append(change.ToEdit(Numbers.Peek));")),

        new("half-an-edit-stays", "an edit whose write failed stays in the manifest half written",
            "Simulation: Runs.SimulationTests.UnwrittenEditIsRolledBack",
            new Edit("ManifestStore.cs",
                "_file!.Write(_end + ManifestLog.ChecksumSize, record.AsSpan(ManifestLog.ChecksumSize));",
                "_file!.Write(SEEDED ? _end : _end + ManifestLog.ChecksumSize, SEEDED ? record.AsSpan() : "
                    + "record.AsSpan(ManifestLog.ChecksumSize));")),

        new("manifest-directory-not-synced", "CURRENT names a manifest whose own name is not durable",
            "Engine: Recovery.OperationOrderTests.OpenSyncsDirectoryOfNewSegment",
            new Edit(
                "ManifestStore.cs", "_storage.SyncDirectory(_directory);",
                "if (!SEEDED) _storage.SyncDirectory(_directory);")),

        new("manifest-checksum-ignored", "a damaged edit of the manifest is applied",
            "Format: Records.ManifestLogTests.FlippedBitInRecordIsDetected",
            new Edit("ManifestLog.cs",
                "if (BinaryPrimitives.ReadUInt64LittleEndian(rest) != Checksum(rest[8..end], salt))",
                "if (!SEEDED && BinaryPrimitives.ReadUInt64LittleEndian(rest) != Checksum(rest[8..end], salt))")),

        new("manifest-without-salt", "an edit of another manifest is accepted",
            "Format: Records.ManifestLogTests.RecordOfOtherFileIsInvalid",
            new Edit("ManifestLog.cs",
                "XxHash3.HashToUInt64(source, unchecked((long)salt));",
                "XxHash3.HashToUInt64(source, SEEDED ? 0 : unchecked((long)salt));")),

        new("damaged-edit-is-the-end", "a damaged edit in the middle of the manifest is taken for its torn end",
            "Engine: Recovery.MissingFilesTests.DamagedEditBeforeAnotherIsCorruption",
            new Edit("ManifestReader.cs", "if (at == beyond.Length)", "if (SEEDED || at == beyond.Length)")),

        new("errors-say-the-opposite", "an error states the wrong value as the expected one",
            "Engine: Inspection.ErrorTextTests.MessageStatesPlaceAndProblem",
            new Edit("CorruptionException.cs",
                ": base($\"{path} at offset {offset}: {kind}: {problem}\", inner)",
                ": base(SEEDED ? $\"{path}: corrupt {kind} at offset {offset}: expected {problem}, "
                    + "found other bytes\" : $\"{path} at offset {offset}: {kind}: {problem}\", inner)")),
    ];
}
