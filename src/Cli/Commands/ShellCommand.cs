using System.CommandLine;
using System.CommandLine.Parsing;
using Varve.Cli.Shell;
using Varve.Cli.Text;

namespace Varve.Cli.Commands;

using Command = System.CommandLine.Command;

/// <summary>
/// <c>varve shell</c>: a prompt for the tool's own commands, on one database. A line is a command without
/// <c>--data</c>. Each command opens the database anew, so it sees what a running writer has done meanwhile. Without a
/// terminal it runs the lines of standard input, and ends at the first that fails.
/// </summary>
internal static class ShellCommand
{
    public const string Name = "shell";

    private static readonly string[] Reading =
        ["get", "scan", "size", "stat", "watch", "export", "report", "verify", "dump"];
    private static readonly string[] ReadingSnapshots = ["create", "verify", "list", "pack", "unpack"];
    private static readonly string[] Writing =
        ["put", "delete", "apply", "import", "compact", "snapshot", "repair"];

    // Their first argument is the database, unless the user gives another.
    private static readonly string[] TakingDirectory = ["verify", "report"];

    /// <param name="createRoot">Makes the tool's root command.</param>
    /// <param name="run">Runs a command line of the tool and returns its exit code.</param>
    public static Command Create(Func<RootCommand> createRoot, Func<string[], Task<int>> run)
    {
        var data = new Option<string>("--data", "-d")
        {
            Description = "Directory of the database.",
            HelpName = "DIR",
            Required = true,
        };
        var write = new Option<bool>("--write") { Description = "Allow the commands that change the database, too." };
        var command = new Command(Name, "A prompt for the commands above on one database, with history.")
        {
            data, write
        };
        command.SetAction(async parsed =>
        {
            var directory = parsed.GetRequiredValue(data);
            if (!Directory.Exists(directory)) throw new DirectoryNotFoundException($"{directory}: no such directory");
            var session = new Session(createRoot(), run, directory, parsed.GetValue(write));
            return Console.IsInputRedirected ? await session.RunScriptAsync() : await session.PromptAsync();
        });
        return command;
    }

    private sealed class Session(RootCommand root, Func<string[], Task<int>> run, string directory, bool mayWrite)
    {
        public async Task<int> RunScriptAsync()
        {
            while (await Console.In.ReadLineAsync() is { } line)
            {
                if (IsEnd(line)) return ExitCode.Ok;
                var code = await RunAsync(line);
                if (code != ExitCode.Ok) return code;
            }

            return ExitCode.Ok;
        }

        public async Task<int> PromptAsync()
        {
            var history = new LineHistory(LineHistory.DefaultPath());
            var editor = new LineEditor(
                "varve> ", history, () => Console.ReadKey(intercept: true), Console.Out,
                () => Console.WindowWidth, Completions);
            await Console.Out.WriteLineAsync("help lists the commands; exit or Ctrl-D ends.");
            while (true)
            {
                Console.TreatControlCAsInput = true;
                var line = editor.ReadLine();
                Console.TreatControlCAsInput = false;
                if (line is null || IsEnd(line)) break;
                await RunAsync(line);
            }

            history.Save();
            return ExitCode.Ok;
        }

        private async Task<int> RunAsync(string line)
        {
            var words = CommandLineParser.SplitCommandLine(line).ToList();
            if (words.Count == 0 || words[0].StartsWith('#')) return ExitCode.Ok;
            if (words[0] == "help") words[0] = "--help";
            else if (Refusal(words) is { } refusal)
            {
                await Console.Error.WriteLineAsync($"varve: {refusal}");
                return ExitCode.Usage;
            }

            var code = await run([.. WithDirectory(words)]);
            // A value is written as it is; the next prompt or result begins on a line of its own.
            if (words[0] == "get" && code == ExitCode.Ok) await Console.Out.WriteLineAsync();
            return code;
        }

        private string? Refusal(List<string> words)
        {
            if (words[0].StartsWith('-')) return null;
            var reads = words[0] == "snapshot"
                ? words.Count < 2 || words[1].StartsWith('-') || ReadingSnapshots.Contains(words[1])
                : Reading.Contains(words[0]);
            if (reads || (mayWrite && Writing.Contains(words[0]))) return null;
            if (Writing.Contains(words[0])) return $"'{words[0]}' changes the database: start the shell with --write";
            return $"'{words[0]}' is no command of the shell; help lists them";
        }

        /// <summary>Adds the database where the command needs one and the line names none.</summary>
        private List<string> WithDirectory(List<string> words)
        {
            if (words.Any(word => word is "--help" or "-?" or "-h")) return words;
            var parsed = root.Parse(words);
            var options = parsed.CommandResult.Command.Options;
            if (options.FirstOrDefault(option => option.Name == "--data") is { } data
                && parsed.GetResult(data) is null or { Implicit: true })
                return [.. words, "--data", directory];
            if (TakingDirectory.Contains(words[0]) && parsed.CommandResult.Command.Arguments is [var path]
                && parsed.GetResult(path) is null or { Tokens.Count: 0 })
                return [words[0], directory, .. words.Skip(1)];
            return words;
        }

        private IReadOnlyList<string> Completions(string line)
        {
            if (!line.Contains(' ', StringComparison.Ordinal))
                return [.. Reading, .. mayWrite ? Writing : ["snapshot"], "help", "exit"];
            return [.. root.Parse(line).GetCompletions(line.Length).Select(item => item.Label)];
        }

        private static bool IsEnd(string line) => line.Trim() is "exit" or "quit";
    }
}
