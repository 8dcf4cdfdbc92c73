using System.CommandLine;
using System.CommandLine.Invocation;
using Varve.Cli.Commands;
using Varve.Cli.Text;

namespace Varve.Cli;

/// <summary>The root command. The only place that turns a failure into a line and an exit code.</summary>
internal static class CommandLine
{
    public static async Task<int> RunAsync(string[] args)
    {
        var parsed = CreateRoot().Parse(args);
        if (parsed.Action is ParseErrorAction || (parsed.Action is null && parsed.Errors.Count > 0))
        {
            await Console.Error.WriteLineAsync($"varve: {DescribeError(parsed)} (see '{PathOf(parsed)} --help')");
            return ExitCode.Usage;
        }

        try
        {
            var configuration = new InvocationConfiguration { EnableDefaultExceptionHandler = false };
            // In a shell Ctrl-C ends the command that runs, which has a handler of its own.
            if (parsed.CommandResult.Command.Name == ShellCommand.Name) configuration.ProcessTerminationTimeout = null;
            return await parsed.InvokeAsync(configuration);
        }
        catch (Exception failure) when (Failure.ExitCodeOf(failure) is not null)
        {
            await Console.Out.FlushAsync();
            await Console.Error.WriteLineAsync(Failure.LineOf(failure));
            return Failure.ExitCodeOf(failure)!.Value;
        }
    }

    public static RootCommand CreateRoot() =>
        new("Applies Raft logs to a Varve database, reads it, makes snapshots of it, and inspects its files.")
        {
            ApplyCommand.Create(),
            GetCommand.Create(),
            ScanCommand.Create(),
            PutCommand.Create(),
            DeleteCommand.Create(),
            SizeCommand.Create(),
            StatCommand.Create(),
            WatchCommand.Create(),
            ReportCommand.Create(),
            ExportCommand.Create(),
            ImportCommand.Create(),
            CompactCommand.Create(),
            SnapshotCommand.Create(),
            CompletionCommand.Create(),
            VerifyCommand.Create(),
            RepairCommand.Create(),
            DumpCommand.Create(),
            BenchCommand.Create(),
            ShellCommand.Create(CreateRoot, RunAsync),
            DemoCommand.Create(),
            DemoChildCommand.Create(),
        };

    // An unknown word explains more than a missing argument that it causes.
    private static string DescribeError(ParseResult parsed) => parsed switch
    {
        { UnmatchedTokens: [var token, ..] } => $"unrecognized command or argument '{token}'",
        { Errors: [var error, ..] } =>
            error.Message.ReplaceLineEndings(" ").Replace("\t", "", StringComparison.Ordinal).TrimEnd('.'),
        _ => "no command given",
    };

    private static string PathOf(ParseResult parsed)
    {
        var names = new Stack<string>();
        for (var result = parsed.CommandResult; result is not null;
            result = result.Parent as System.CommandLine.Parsing.CommandResult)
            names.Push(result.Command is RootCommand ? "varve" : result.Command.Name);
        return string.Join(' ', names);
    }
}
