using System.CommandLine;
using Varve.Cli.Data;
using Varve.Cli.Json;
using Varve.Cli.Text;
using Varve.Snapshots;
using Varve.Storage;

namespace Varve.Cli.Commands;

using Command = System.CommandLine.Command;

/// <summary><c>varve snapshot pack DIR FILE</c>: writes a snapshot's directory as one file.</summary>
internal static class SnapshotPackCommand
{
    public static Command Create()
    {
        var directory = new Argument<string>("DIR") { Description = "A snapshot's directory." };
        var file = new Argument<string>("FILE") { Description = "The packed file to write; it must not exist." };
        var json = JsonOption.Create();
        var command = new Command("pack", "Verifies a snapshot's directory and writes it as one file.")
        {
            directory, file, json
        };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var source = Path.GetFullPath(parsed.GetRequiredValue(directory));
            if (!Directory.Exists(source)) throw new DirectoryNotFoundException($"{source}: no such directory");
            var target = parsed.GetRequiredValue(file);
            long bytes;
            using (var progress = new LongWork("packing"))
                bytes = await PackedFile.CreateAsync(source, target, progress, cancellationToken);
            var snapshot = SnapshotFiles.Read(Storages.Default, Path.GetFullPath(target));
            if (parsed.GetValue(json))
                JsonOutput.WriteDocument(SnapshotLine.Of(target, snapshot) with { PackedBytes = bytes });
            else Console.Out.WriteLine($"packed: {target}, {SizeText.Format(bytes)}, {snapshot.Metadata}");
            return ExitCode.Ok;
        });
        return command;
    }
}
