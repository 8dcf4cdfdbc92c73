using System.CommandLine;
using Varve.Cli.Snapshots;

namespace Varve.Cli.Commands;

using Command = System.CommandLine.Command;

/// <summary><c>varve snapshot verify SNAPSHOT</c>: reads every byte.</summary>
internal static class SnapshotVerifyCommand
{
    public static Command Create()
    {
        var path = SnapshotCommand.PathArgument();
        var command = new Command("verify", "Checks every byte of a snapshot against its manifest.") { path };
        command.SetAction((parsed, cancellationToken) =>
        {
            var snapshot = SnapshotFile.Open(parsed.GetRequiredValue(path));
            var bytes = SnapshotVerifier.Verify(snapshot, cancellationToken);
            SnapshotCommand.WriteMetadata(snapshot.Metadata);
            Console.Out.WriteLine($"ok        {snapshot.Manifest.Tables.Length} tables, {SizeText.Format(bytes)}, {SizeText.Count(snapshot.Manifest.State.LiveCount)} keys");
            return Task.FromResult(ExitCode.Ok);
        });
        return command;
    }
}
