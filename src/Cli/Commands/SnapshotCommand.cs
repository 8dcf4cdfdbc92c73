using System.CommandLine;

namespace Varve.Cli.Commands;

using Command = System.CommandLine.Command;

/// <summary><c>varve snapshot</c>: the subcommands and their common output.</summary>
internal static class SnapshotCommand
{
    public static Command Create() => new("snapshot", "Makes, lists, verifies and installs snapshots.")
    {
        SnapshotCreateCommand.Create(),
        SnapshotListCommand.Create(),
            SnapshotPackCommand.Create(),
            SnapshotUnpackCommand.Create(),
        SnapshotVerifyCommand.Create(),
        SnapshotInstallCommand.Create(),
    };

    /// <summary>The path argument of all subcommands.</summary>
    public static Argument<string> PathArgument() =>
        new("SNAPSHOT") { Description = "Path of a snapshot's directory, or of a packed .varve file." };

    public static void WriteMetadata(SnapshotMetadata metadata)
    {
        Console.Out.WriteLine($"index     {metadata.LastIncluded.Index}");
        Console.Out.WriteLine($"term      {metadata.LastIncluded.Term}");
        Console.Out.WriteLine($"checksum  {Convert.ToHexStringLower(metadata.Checksum.Span)}");
    }
}
