using Varve.Format;
using Varve.Snapshots;
using Varve.Storage;

namespace Varve.Tests.Crash.Child;

/// <summary>An action of the engine, at whose every file system call a kill or an error is injected.</summary>
/// <param name="Name">In the figures and on the command line.</param>
/// <param name="Prepare">Undisturbed.</param>
/// <param name="Act">Watched.</param>
internal sealed record Scenario(string Name, Action<Stage> Prepare, Action<Stage> Act)
{
    private const int ChunksToReplay = 8;

    public static readonly Scenario[] All =
    [
        new("create", _ => { }, stage =>
        {
            stage.Open();
            stage.Apply(3);
        }),
        new("flush", stage =>
        {
            stage.Open();
            stage.Apply(4);
        }, stage =>
        {
            var before = stage.Opened.GetStatistics().Flushes; // a small first segment may have been flushed already
            stage.ApplyUntil(statistics => statistics.Flushes > before);
        }),
        new("compact", PrepareTables, stage => stage.Compact()),
        new("snapshot", PrepareTables, MakeSnapshot),
        new("pack", stage =>
        {
            PrepareTables(stage);
            MakeSnapshot(stage);
        }, Pack),
        new("install", PrepareInstall, stage => Install(stage, stage.SnapshotPath)),
        new("install-packed", stage =>
        {
            PrepareInstall(stage);
            Pack(stage);
        }, stage => Install(stage, stage.PackPath)),
        new("stage-install", PrepareInstall, StageAndInstall),
        new("reset", PrepareTables, stage =>
        {
            stage.Say(MessageKind.Jumping, 0);
            stage.Opened.ResetAsync().GetAwaiter().GetResult();
            stage.Say(MessageKind.Applied, 0);
        }),
        new("recovery", stage => PrepareDirty(stage, withTables: true), stage => stage.Open()),
        new("recovery-torn", stage =>
        {
            PrepareDirty(stage, withTables: false);
            Tear(stage);
        }, stage => stage.Open()),
        new("close", PrepareTables, stage => stage.Close()),
    ];

    private static void PrepareTables(Stage stage)
    {
        stage.Open();
        stage.ApplyUntil(statistics => statistics.Flushes > 1);
        stage.Apply(3);
    }

    private static void MakeSnapshot(Stage stage)
    {
        var at = stage.Opened.LastApplied;
        stage.Snapshot = new SnapshotMetadata(
            at, stage.Opened.GenerateSnapshotDataAsync(stage.SnapshotPath, at).GetAwaiter().GetResult());
    }

    private static void Pack(Stage stage)
    {
        // In memory first: a file stream would write on threads of the pool.
        using var pack = new MemoryStream();
        PackWriter.PackAsync(Storages.Default, stage.SnapshotPath, pack).GetAwaiter().GetResult();
        File.WriteAllBytes(stage.PackPath, pack.ToArray());
    }

    private static void PrepareInstall(Stage stage)
    {
        stage.WithSource(60, (source, _) =>
        {
            var at = source.LastApplied;
            stage.Snapshot = new SnapshotMetadata(
                at, source.GenerateSnapshotDataAsync(stage.SnapshotPath, at).GetAwaiter().GetResult());
        });
        stage.Open();
        stage.Apply(3);
    }

    private static void Install(Stage stage, string path)
    {
        stage.Say(MessageKind.Jumping, stage.Snapshot!.LastIncluded.Index);
        stage.Opened.ApplySnapshotFromFileAsync(stage.Snapshot, path).GetAwaiter().GetResult();
        stage.Say(MessageKind.Applied, stage.Snapshot.LastIncluded.Index);
    }

    /// <summary>Stages twice: the first one is not installed, and what it copied is deleted.</summary>
    private static void StageAndInstall(Stage stage)
    {
        var snapshot = stage.Snapshot!;
        stage.Opened.StageSnapshotAsync(snapshot, stage.SnapshotPath).GetAwaiter().GetResult().Dispose();
        using var staged = stage.Opened.StageSnapshotAsync(snapshot, stage.SnapshotPath).GetAwaiter().GetResult();
        stage.Say(MessageKind.Jumping, snapshot.LastIncluded.Index);
        staged.Install();
        stage.Say(MessageKind.Applied, snapshot.LastIncluded.Index);
    }

    /// <summary>
    /// A copy of an open database, as a dead process leaves it: tables if requested, and a log to replay.
    /// </summary>
    private static void PrepareDirty(
        Stage stage, bool withTables) =>
        stage.WithSource(withTables ? 40 : 0, (source, rounds) =>
        {
            if (withTables)
            {
                var compacted = source.CompactAsync();
                rounds.Run();
                compacted.GetAwaiter().GetResult();
            }

            stage.ApplyTo(source, ChunksToReplay);
            stage.Say(MessageKind.Applied, source.LastApplied.Index);
            Directory.CreateDirectory(stage.Directory);
            foreach (var path in Directory.GetFiles(stage.SourcePath))
            {
                if (Path.GetFileName(path) == FileNames.Lock) continue;
                try
                {
                    // Copied by hand: File.Copy may copy extents instead of mapped bytes.
                    using var from = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
                    using var copy = new FileStream(
                        Path.Combine(stage.Directory, Path.GetFileName(path)), FileMode.CreateNew, FileAccess.Write);
                    from.CopyTo(copy);
                }
                catch (FileNotFoundException)
                {
                    // The next segment, being prepared: nothing in it yet.
                }
            }
        });

    /// <summary>
    /// Begins a record behind the last one that was never finished: an offset in its place, and no checksum that fits.
    /// </summary>
    private static void Tear(Stage stage)
    {
        // The last one may be prepared and empty: the one before it, then.
        var path = Directory.GetFiles(stage.Directory, "*" + FileNames.SegmentSuffix).Order(StringComparer.Ordinal)
            .Last(path => File.ReadAllBytes(path).AsSpan(WalSegmentHeader.Size).ContainsAnyExcept((byte)0));
        var bytes = File.ReadAllBytes(path);
        if (!WalSegmentHeader.TryDecode(bytes, out var segment, out _))
            throw new InvalidOperationException($"{path} has no segment header.");
        // A record may end in zeros, so its last other byte is not its end.
        var records = new WalRecordReader(bytes, segment.Salt);
        while (records.MoveNext())
        {
        }

        var end = (int)records.Next;
        BitConverter.TryWriteBytes(bytes.AsSpan(end), 0xBAD0BAD0BAD0BAD0);
        BitConverter.TryWriteBytes(bytes.AsSpan(end + 8), (long)end);
        BitConverter.TryWriteBytes(bytes.AsSpan(end + 16), 64L);
        File.WriteAllBytes(path, bytes);
    }
}
