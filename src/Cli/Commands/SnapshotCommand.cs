using System.CommandLine;

namespace Varve.Cli.Commands;

using Command = System.CommandLine.Command;

/// <summary><c>varve snapshot</c>: its subcommands, and what they say of a snapshot.</summary>
internal static class SnapshotCommand
{
    public static Command Create() => new("snapshot", "Makes, verifies and installs snapshots.")
    {
        SnapshotCreateCommand.Create(),
        SnapshotVerifyCommand.Create(),
        SnapshotInstallCommand.Create(),
    };

    /// <summary>A snapshot's path, as all subcommands name it.</summary>
    public static Argument<string> PathArgument() =>
        new("SNAPSHOT") { Description = "A snapshot's directory, or a packed .varve file." };

    public static void WriteMetadata(SnapshotMetadata metadata)
    {
        Console.Out.WriteLine($"index     {metadata.LastIncluded.Index}");
        Console.Out.WriteLine($"term      {metadata.LastIncluded.Term}");
        Console.Out.WriteLine($"checksum  {Convert.ToHexStringLower(metadata.Checksum.Span)}");
    }
}
