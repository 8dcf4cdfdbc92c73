using System.CommandLine;
using System.Text;
using Varve.Cli.Data;
using Varve.Cli.Json;
using Varve.Cli.Text;

namespace Varve.Cli.Commands;

using Command = System.CommandLine.Command;

/// <summary><c>varve scan [PREFIX]</c>: prints live entries in key order, one a line.</summary>
internal static class ScanCommand
{
    private const int ValueBytesShown = 100;

    public static Command Create()
    {
        var prefix = new Argument<string>("PREFIX")
        {
            Description = "Print only keys with this prefix: UTF-8 text, or hex: and pairs of hexadecimal digits.",
            DefaultValueFactory = _ => "",
        };
        var limit = new Option<long>("--limit", "-n")
        {
            Description = "Print at most N entries.",
            HelpName = "N",
            DefaultValueFactory = _ => long.MaxValue
        };
        var reverse = new Option<bool>("--reverse", "-r") { Description = "Print in descending key order." };
        var json = new Option<bool>("--json")
        {
            Description = "Print one JSON object a line, with whole values; other bytes than UTF-8 in Base64."
        };
        var command = new Command(
            "scan", "Prints live entries in key order, at one revision.") { prefix, limit, reverse, json };
        var database = new DatabaseOptions(command);
        command.SetAction(parsed =>
        {
            var bytes = KeyText.Parse(parsed.GetValue(prefix) ?? "");
            var entriesMax = parsed.GetValue(limit);
            if (entriesMax < 0) throw new UsageException("--limit must be 0 or more");
            using var engine = database.OpenReadOnly(parsed);
            using var output = new BufferedStream(Console.OpenStandardOutput(), 64 << 10);
            Scan(engine, bytes, entriesMax, parsed.GetValue(reverse), parsed.GetValue(json), output);
            return ExitCode.Ok;
        });
        return command;
    }

    private static void Scan(
        LsmStateMachine engine, byte[] prefix, long entriesMax, bool reverse, bool json, Stream output)
    {
        using var view = engine.OpenView();
        var entries = view.ScanPrefix(prefix);
        if (reverse) entries = entries.Reversed();
        var left = entriesMax;
        foreach (var entry in entries)
        {
            if (left-- == 0) break;
            if (json)
                JsonOutput.WriteLine(output, EntryLine.Of(entry.Key, entry.Value, view.Revision));
            else
                output.Write(Encoding.UTF8.GetBytes(
                    $"{KeyText.Escape(entry.Key)}\t{KeyText.Escape(entry.Value, ValueBytesShown)}\n"));
        }
    }
}
