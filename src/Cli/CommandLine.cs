using System.CommandLine;
using System.CommandLine.Invocation;
using Varve.Cli.Commands;

namespace Varve.Cli;

/// <summary>The tool's root: its commands, and the one place where a failure becomes a line and an exit code.</summary>
internal static class CommandLine
{
    public static async Task<int> RunAsync(string[] args)
    {
        var parsed = CreateRoot().Parse(args);
        if (parsed.Action is ParseErrorAction || (parsed.Action is null && parsed.Errors.Count > 0))
        {
            var message = parsed.Errors.Count > 0 ? parsed.Errors[0].Message.ReplaceLineEndings(" ") : "no command given";
            await Console.Error.WriteLineAsync($"varve: {message.TrimEnd('.')} (see '{PathOf(parsed)} --help')");
            return ExitCode.Usage;
        }

        try
        {
            return await parsed.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false });
        }
        catch (Exception failure) when (Failure.ExitCodeOf(failure) is not null)
        {
            await Console.Out.FlushAsync();
            await Console.Error.WriteLineAsync(Failure.LineOf(failure));
            return Failure.ExitCodeOf(failure)!.Value;
        }
    }

    public static RootCommand CreateRoot() => new("Applies Raft logs to a Varve database, reads it, snapshots it, and looks into its files.")
    {
        ApplyCommand.Create(),
        GetCommand.Create(),
        ScanCommand.Create(),
        StatCommand.Create(),
        CompactCommand.Create(),
        SnapshotCommand.Create(),
        DumpCommand.Create(),
        DemoCommand.Create(),
        DemoChildCommand.Create(),
    };

    private static string PathOf(ParseResult parsed)
    {
        var names = new Stack<string>();
        for (var result = parsed.CommandResult; result is not null; result = result.Parent as System.CommandLine.Parsing.CommandResult)
            names.Push(result.Command is RootCommand ? "varve" : result.Command.Name);
        return string.Join(' ', names);
    }
}
