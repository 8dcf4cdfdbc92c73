using System.CommandLine;

namespace Varve.Cli.Commands;

using Command = System.CommandLine.Command;

internal static class SnapshotCommand
{
    public static Command Create() => new("snapshot", "x");
}
