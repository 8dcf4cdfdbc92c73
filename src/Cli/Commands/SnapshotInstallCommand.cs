using System.CommandLine;
using Varve.Cli.Data;
using Varve.Cli.Json;
using Varve.Cli.Text;
using Varve.Snapshots;
using Varve.Storage;

namespace Varve.Cli.Commands;

using Command = System.CommandLine.Command;

/// <summary>
/// <c>varve snapshot install SNAPSHOT</c>: replaces a database's state; creates the database if there is none.
/// </summary>
internal static class SnapshotInstallCommand
{
    public static Command Create()
    {
        var path = SnapshotCommand.PathArgument();
        var checksum = new Option<string?>("--checksum")
        {
            Description = "Checksum that the snapshot must have; the one of its present manifest if not given.",
            HelpName = "HEX",
        };
        var json = JsonOption.Create();
        var command = new Command(
            "install", "Verifies a snapshot and replaces the whole state by it.")
        {
            path, checksum, json
        };
        var database = new DatabaseOptions(command);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var target = Path.GetFullPath(parsed.GetRequiredValue(path));
            var snapshot = SnapshotFiles.Read(Storages.Default, target);
            var metadata = parsed.GetValue(checksum) is { } hex
                ? snapshot.Metadata with { Checksum = ParseChecksum(hex) }
                : snapshot.Metadata;
            await using var engine = database.OpenOrCreate(
                parsed, leaseClock: (LeaseClock)snapshot.Manifest.State.LeaseClock);
            await engine.ApplySnapshotFromFileAsync(metadata, target, cancellationToken);
            if (parsed.GetValue(json))
                JsonOutput.WriteDocument(
                    SnapshotLine.Of(target, snapshot) with { Keys = engine.Count });
            else Console.Out.WriteLine(
                $"installed: index {engine.LastApplied.Index}, term {engine.LastApplied.Term}, "
                    + $"{SizeText.Count(engine.Count)} live keys");
            return ExitCode.Ok;
        });
        return command;
    }

    private static byte[] ParseChecksum(string hex)
    {
        try
        {
            if (Convert.FromHexString(hex) is { Length: 32 } bytes) return bytes;
        }
        catch (FormatException)
        {
            // The message below says so.
        }

        throw new UsageException("--checksum takes 64 hexadecimal digits");
    }
}
