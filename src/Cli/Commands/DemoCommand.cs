using System.CommandLine;
using Varve.Cli.Demo;
using Varve.Cli.Text;

namespace Varve.Cli.Commands;

using Command = System.CommandLine.Command;

/// <summary><c>varve demo</c>: the engine's main work on a real log, checked against known answers.</summary>
internal static class DemoCommand
{
    public static Command Create()
    {
        var keep = new Option<string?>("--keep")
        {
            Description = "Work in this new or empty directory and keep it. Without it, work in a temporary directory "
                + "below the current one.",
            HelpName = "DIR",
        };
        var command = new Command(
            "demo",
            "Applies a real Raft log, reads, recovers from kills, makes and installs snapshots, "
                + "and checks every answer.")
        {
            keep
        };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            using var directory = new DemoDirectory(parsed.GetValue(keep));
            await new DemoRun(directory, new DemoReport()).RunAsync(cancellationToken);
            return ExitCode.Ok;
        });
        return command;
    }
}
