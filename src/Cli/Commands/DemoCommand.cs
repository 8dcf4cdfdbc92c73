using System.CommandLine;
using Varve.Cli.Demo;
using Varve.Cli.Text;

namespace Varve.Cli.Commands;

using Command = System.CommandLine.Command;

/// <summary><c>varve demo</c>: the main job on real input, with every answer known in advance.</summary>
internal static class DemoCommand
{
    public static Command Create()
    {
        var keep = new Option<string?>("--keep")
        {
            Description = "Work in this directory, new or empty, and leave everything there; "
                + "otherwise a directory here, removed in the end.",
            HelpName = "DIR",
        };
        var command = new Command(
            "demo", "Applies a real Raft log, reads, survives kills, snapshots and installs, and proves every answer.")
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
