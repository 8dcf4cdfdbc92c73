using System.CommandLine;
using Varve.Cli.Demo;
using Varve.Cli.Text;

namespace Varve.Cli.Commands;

using Command = System.CommandLine.Command;

/// <summary>The child process of <c>varve demo</c>; hidden.</summary>
internal static class DemoChildCommand
{
    public static Command Create()
    {
        var data = new Argument<string>("DIR");
        var command =
            new Command(ApplyChild.CommandName, "Applies the bundled log and acknowledges each chunk.") { data };
        command.Hidden = true;
        command.SetAction(parsed =>
        {
            ApplyChild.Run(parsed.GetRequiredValue(data));
            return ExitCode.Ok;
        });
        return command;
    }
}
