namespace Varve.Tests.Seeded.Bugs;

/// <summary>Targets of snapshots, and the metadata recorded of them.</summary>
internal static class SnapshotTargetBugs
{
    public static readonly Bug[] All =
    [
        new("two-snapshots-in-one-directory", "a snapshot replaces another that appeared in its directory meanwhile",
            "Engine: Recovery.SnapshotTargetTests.TwoSnapshotsIntoOneDirectoryMakeExactlyOne",
            new Edit("SnapshotTarget.cs",
                "else Replace();",
                "else { if (SEEDED) DirectoryTree.Delete(_storage, _target); Replace(); }")),

        new("snapshots-share-a-staging-directory", "two snapshots into one directory share their staging directory",
            "Engine: Recovery.SnapshotTargetTests.TwoSnapshotsIntoOneDirectoryMakeExactlyOne",
            new Edit("SnapshotTarget.cs",
                "Building = isInside ? Path.Combine(target, InsideName) : Path.Combine(_parent, Prefix + Suffix());",
                "Building = isInside ? Path.Combine(target, InsideName) : Path.Combine(_parent, "
                    + "Prefix + (SEEDED ? \"0\" : Suffix()));")),

        new("snapshot-replaces-a-link", "a snapshot replaces a link instead of its target",
            "Engine: Recovery.SnapshotTargetTests.SnapshotAppearsAtTargetAndNothingBesideIt",
            new Edit("SnapshotTarget.cs",
                "var target = storage.ResolveLink(path);",
                "var target = SEEDED ? path : storage.ResolveLink(path);")),

        new("staging-name-too-long", "a snapshot's temporary name is longer than its own",
            "Engine: Recovery.SnapshotTargetTests.SnapshotAppearsAtTargetAndNothingBesideIt",
            new Edit("SnapshotTarget.cs",
                "private string Prefix { get {",
                "private string Prefix { get { if (SEEDED) return Path.GetFileName(_target) + \".varve-\";")),

        new("mount-point-refused", "a snapshot cannot be made in a directory that cannot be replaced",
            "Engine: Recovery.SnapshotTargetTests.SnapshotAppearsAtTargetAndNothingBesideIt",
            new Edit("SnapshotTarget.cs",
                "return false;",
                "if (SEEDED) throw; return false;")),

        new(
            "claimed-directory-is-empty", "a claimed directory with a snapshot under way counts as empty",
            "Engine: Recovery.SnapshotTargetTests.TwoSnapshotsIntoOneDirectoryMakeExactlyOne",
            new Edit("SnapshotTarget.cs",
                "if (_storage.List(_target).Count == 1) return;",
                "if (SEEDED || _storage.List(_target).Count == 1) return;")),

        new("snapshot-files-writable", "the files of a snapshot are writable",
            "Engine: Recovery.SnapshotTargetTests.SnapshotFilesAreReadOnly",
            new Edit("SnapshotBuilder.cs",
                "foreach (var name in storage.List(building)) storage.MakeReadOnly(",
                "foreach (var name in storage.List(building)) if (!SEEDED) storage.MakeReadOnly(")),

        new("linked-pack-refused", "a packed snapshot is not installed through a symbolic link",
            "Engine: Recovery.SnapshotTargetTests.PackIsVerifiedAndInstalledThroughSymlink",
            new Edit("SnapshotInstaller.cs",
                "path = storage.ResolveLink(path);",
                "if (!SEEDED) path = storage.ResolveLink(path);")),

        new("term-at-index-zero", "a snapshot at index 0 may have a term",
            "Engine: Recovery.SnapshotTargetTests.SnapshotAtIndexZeroHasTermZero",
            new Edit("SnapshotService.cs",
                "if (lastIncluded is { Index: 0, Term: not 0 })",
                "if (!SEEDED && lastIncluded is { Index: 0, Term: not 0 })")),

        new("snapshot-metadata-goes-back", "an older snapshot becomes the last snapshot",
            "Engine: Recovery.SnapshotTargetTests.MetadataIsMonotonicAndAtMostApplied",
            new Edit("SnapshotRecords.cs",
                "=> Last is not { } last ||",
                "=> SEEDED || Last is not { } last ||")),

        new("snapshot-metadata-above-applied", "a snapshot of unapplied entries becomes the last snapshot",
            "Engine: Recovery.SnapshotTargetTests.MetadataIsMonotonicAndAtMostApplied",
            new Edit("SnapshotRecorder.cs",
                "if (metadata.LastIncluded.Index > applied.Index)",
                "if (!SEEDED && metadata.LastIncluded.Index > applied.Index)")),

        new("flush-names-a-later-snapshot", "the state that a flush writes names a snapshot above its own end",
            "Engine: Recovery.SnapshotTargetTests.FlushRecordsLastSnapshotWithinItsRange",
            new Edit("StateGeneration.cs",
                "Snapshot = Snapshots.UpToGateHeld(position.Index) is { } snapshot",
                "Snapshot = (SEEDED ? Snapshots.Last : Snapshots.UpToGateHeld(position.Index)) is { } snapshot")),

        new("hole-has-term-zero", "indexes that were jumped over have term 0",
            "Engine: Recovery.SnapshotTargetTests.HoleAfterEntriesOfTermZeroHasNoTerm",
            new Edit("TermTable.cs",
                "Add(from + 1, TermRun.Unknown);",
                "Add(from + 1, SEEDED ? 0 : TermRun.Unknown);")),

        new(
            "manifest-before-its-tables", "a snapshot's manifest may have a durable name before its tables have",
            "Simulation: Runs.SnapshotTargetLossTests.TargetHoldsWholeSnapshotOrNoneAfterPowerLoss",
            new Edit("SnapshotTarget.cs",
                "if (name == Format.SnapshotNames.Manifest) _storage.SyncDirectory(_target);",
                "if (!SEEDED && name == Format.SnapshotNames.Manifest) _storage.SyncDirectory(_target);")),
    ];
}
