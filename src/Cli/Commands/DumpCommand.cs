using System.CommandLine;

namespace Varve.Cli.Commands;

using Command = System.CommandLine.Command;

internal static class DumpCommand
{
    public static Command Create() => new("dump", "x");
}
