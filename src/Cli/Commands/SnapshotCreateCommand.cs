using System.CommandLine;
using Varve.Cli.Data;
using Varve.Cli.Json;
using Varve.Cli.Text;

namespace Varve.Cli.Commands;

using Command = System.CommandLine.Command;

/// <summary><c>varve snapshot create</c>: writes the state at one index into a directory.</summary>
internal static class SnapshotCreateCommand
{
    public static Command Create()
    {
        var output = new Option<string>("--out", "-o")
        {
            Description = "Directory of the snapshot, absent or empty.",
            HelpName = "DIR2",
            Required = true
        };
        var index = new Option<ulong?>("--index")
        {
            Description = "Index of the cut, within the history; the last applied index if not given.",
            HelpName = "N"
        };
        var pack = new Option<string?>("--pack")
        {
            Description = "Pack the snapshot into one file, too.",
            HelpName = "FILE.varve"
        };
        var json = JsonOption.Create();
        var command = new Command("create", "Writes the state at exactly one applied index.")
        {
            output, index, pack, json
        };
        var database = new DatabaseOptions(command);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            if (parsed.GetValue(pack) is { } packed) PackedFile.EnsureFree(packed);
            await using var engine = database.OpenReadOnly(parsed); // also while another engine has the database open
            var directory = Path.GetFullPath(parsed.GetRequiredValue(output));
            var cut = CutAt(engine, parsed.GetValue(index));
            var checksum = engine.GenerateSnapshotDataAsync(directory, cut, cancellationToken);
            using (var progress = new LongWork("writing"))
                await progress.WatchAsync(checksum, ProgressOf(engine, directory));
            var metadata = new SnapshotMetadata(cut, await checksum);
            if (!parsed.GetValue(json)) SnapshotCommand.WriteMetadata(metadata);
            long? length = null;
            if (parsed.GetValue(pack) is { } file)
                using (var progress = new LongWork("packing"))
                    length = await PackedFile.CreateAsync(directory, file, progress, cancellationToken);
            if (parsed.GetValue(json))
                JsonOutput.WriteDocument(
                    SnapshotLine.Of(metadata) with { Path = directory, PackedBytes = length });
            else if (length is { } bytes) Console.Out.WriteLine($"packed    {SizeText.Format(bytes)}");
            return ExitCode.Ok;
        });
        return command;
    }

    /// <summary>Counts the bytes of the snapshot's files, which are made beside the directory they go to.</summary>
    private static Func<(long Bytes, double? Share)> ProgressOf(LsmStateMachine engine, string directory)
    {
        var all = engine.GetStatistics().Runs.Sum(run => run.Bytes);
        var parent = Path.GetDirectoryName(directory)!;
        var before = BytesBeside();
        return () =>
        {
            var bytes = Math.Max(0, BytesBeside() - before);
            return (bytes, LongWork.ShareOf(bytes, all));
        };

        long BytesBeside() => Directory.Exists(parent)
            ? Directory.EnumerateDirectories(parent, ".varve-*").Sum(made => LongWork.BytesOf(made))
            : 0;
    }

    private static LogId CutAt(LsmStateMachine engine, ulong? index)
    {
        if (index is not { } wanted || wanted == engine.LastApplied.Index) return engine.LastApplied;
        return engine.EntryTerm(wanted) is { } term
            ? new LogId(wanted, term)
            : throw new UsageException(
                $"index {wanted} is not applied, or its term is unknown (last applied: {engine.LastApplied.Index})");
    }
}
