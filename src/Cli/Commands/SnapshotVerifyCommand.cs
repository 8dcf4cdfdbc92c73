using System.CommandLine;
using Varve.Cli.Json;
using Varve.Cli.Text;
using Varve.Inspection;
using Varve.Snapshots;
using Varve.Storage;

namespace Varve.Cli.Commands;

using Command = System.CommandLine.Command;

/// <summary>
/// <c>varve snapshot verify SNAPSHOT</c>: verifies a snapshot and prints its position and checksum.
/// </summary>
internal static class SnapshotVerifyCommand
{
    public static Command Create()
    {
        var path = SnapshotCommand.PathArgument();
        var progress = new Option<bool>("--progress")
        {
            Description = "Print the name of each file on standard error; on a terminal, progress is shown anyway."
        };
        var json = JsonOption.Create();
        var command =
            new Command("verify", "Verifies every byte of a snapshot against its manifest.") { path, progress, json };
        command.SetAction(parsed =>
        {
            var target = Path.GetFullPath(parsed.GetRequiredValue(path));
            if (Verification.HasDatabase(Storages.Default, target))
                throw new FileNotFoundException($"{target}: this is a database, not a snapshot; use varve verify");
            using var reading = new ReadingProgress(target, parsed.GetValue(progress));
            var problems = Verification.Check(Storages.Default, target, deep: true, out var totals, reading.Report);
            reading.Dispose();
            if (VerifyCommand.Fail(target, problems) is { } code) return code;
            var snapshot = SnapshotFiles.Read(Storages.Default, target);
            if (parsed.GetValue(json))
            {
                JsonOutput.WriteDocument(
                    SnapshotLine.Of(target, snapshot) with { Bytes = totals.Bytes });
                return ExitCode.Ok;
            }

            SnapshotCommand.WriteMetadata(snapshot.Metadata);
            Console.Out.WriteLine(
                $"ok        {snapshot.Manifest.Tables.Length} tables, {SizeText.Format(totals.Bytes)}, "
                    + $"{SizeText.Count(snapshot.Manifest.State.LiveCount)} keys");
            return ExitCode.Ok;
        });
        return command;
    }
}
