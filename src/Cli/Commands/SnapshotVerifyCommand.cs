using System.CommandLine;
using Varve.Cli.Text;
using Varve.Inspection;
using Varve.Snapshots;
using Varve.Storage;

namespace Varve.Cli.Commands;

using Command = System.CommandLine.Command;

/// <summary>
/// <c>varve snapshot verify SNAPSHOT</c>: <c>verify</c> for a snapshot alone, which also says what it is.
/// </summary>
internal static class SnapshotVerifyCommand
{
    public static Command Create()
    {
        var path = SnapshotCommand.PathArgument();
        var progress = new Option<bool>("--progress")
        {
            Description = "Name each file on standard error as it is read; a terminal shows progress without it."
        };
        var command = new Command("verify", "Checks every byte of a snapshot against its manifest.") { path, progress };
        command.SetAction(parsed =>
        {
            var target = Path.GetFullPath(parsed.GetRequiredValue(path));
            if (Verification.HasDatabase(Storages.Default, target))
                throw new FileNotFoundException($"{target}: a database, not a snapshot");
            using var reading = ReadingProgress.Create(parsed.GetValue(progress));
            var problems = Verification.Check(Storages.Default, target, deep: true, out var totals, reading.Report);
            reading.Dispose();
            if (VerifyCommand.Fail(target, problems) is { } code) return code;
            var snapshot = SnapshotFiles.Read(Storages.Default, target);
            SnapshotCommand.WriteMetadata(snapshot.Metadata);
            Console.Out.WriteLine(
                $"ok        {snapshot.Manifest.Tables.Length} tables, {SizeText.Format(totals.Bytes)}, "
                    + $"{SizeText.Count(snapshot.Manifest.State.LiveCount)} keys");
            return ExitCode.Ok;
        });
        return command;
    }
}
