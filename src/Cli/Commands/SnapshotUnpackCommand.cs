using System.CommandLine;
using System.IO.Pipelines;
using Varve.Cli.Json;
using Varve.Cli.Text;
using Varve.Snapshots;
using Varve.Storage;

namespace Varve.Cli.Commands;

using Command = System.CommandLine.Command;

/// <summary><c>varve snapshot unpack FILE DIR</c>: makes a snapshot's directory of a packed file.</summary>
internal static class SnapshotUnpackCommand
{
    public static Command Create()
    {
        var file = new Argument<string>("FILE")
        {
            Description = "A packed snapshot; - is standard input, which may go on behind it."
        };
        var directory = new Argument<string>("DIR")
        {
            Description = "The directory to make; it must not exist, or be empty."
        };
        var json = JsonOption.Create();
        var command = new Command("unpack", "Verifies a packed snapshot and makes a directory of it.")
        {
            file, directory, json
        };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var source = parsed.GetRequiredValue(file);
            var target = parsed.GetRequiredValue(directory);
            await using (var stream = source == "-" ? Console.OpenStandardInput() : File.OpenRead(source))
            {
                double? all = stream.CanSeek && stream.Length > 0 ? stream.Length : null;
                using var progress = new LongWork("unpacking");
                await using var counted = new CountingStream(stream, bytes => progress.Report(bytes, bytes / all));
                var pipe = PipeReader.Create(counted);
                var path = Path.TrimEndingDirectorySeparator(Path.GetFullPath(target));
                await PackUnpacker.UnpackAsync(
                    Storages.Default, pipe, path, endsWithPack: source != "-", cancellationToken);
                await pipe.CompleteAsync();
            }

            var snapshot = SnapshotFiles.Read(Storages.Default, Path.GetFullPath(target));
            if (parsed.GetValue(json)) JsonOutput.WriteDocument(SnapshotLine.Of(target, snapshot));
            else Console.Out.WriteLine(
                $"unpacked: {target}, {SizeText.Count(snapshot.Manifest.Tables.Length)} tables, {snapshot.Metadata}");
            return ExitCode.Ok;
        });
        return command;
    }
}
