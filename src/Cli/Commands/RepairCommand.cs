using System.CommandLine;
using Varve.Cli.Dump;
using Varve.Cli.Json;
using Varve.Cli.Text;
using Varve.Inspection;
using Varve.Storage;

namespace Varve.Cli.Commands;

using Command = System.CommandLine.Command;

/// <summary>
/// <c>varve repair PATH --out OUT</c>: saves the readable content into a new database, and lists the losses.
/// </summary>
internal static class RepairCommand
{
    public static Command Create()
    {
        var path = new Argument<string>("PATH")
        {
            Description = "Path of a damaged database or snapshot. It is only read."
        };
        var output = new Option<string>("--out", "-o")
        {
            Description = "Directory of the new database, absent or empty.",
            HelpName = "DIR",
            Required = true
        };
        var json = JsonOption.Create();
        var clock = new Option<string>("--lease-clock")
        {
            Description = "Lease clock of the result, local or log, if the source has no readable manifest.",
            DefaultValueFactory = _ => "local",
        };
        clock.AcceptOnlyFromAmong("local", "log");
        var command = new Command(
            "repair", "Salvages a damaged database or snapshot into a new database, and lists the losses.")
        {
            path, output, clock, json
        };
        command.SetAction(parsed =>
        {
            var target = parsed.GetRequiredValue(path);
            var report = Repair.Run(
                Storages.Default, target, parsed.GetRequiredValue(output),
                parsed.GetValue(clock) == "log" ? LeaseClock.Log : LeaseClock.Local);
            if (parsed.GetValue(json)) JsonOutput.WriteDocument(RepairDocument.Of(report));
            else WriteText(report);
            if (report.Losses.Count == 0 && report.IsExact) return ExitCode.Ok;
            Console.Out.Flush();
            Console.Error.WriteLine(
                $"varve: {target}: " + (report.IsExact
                    ? "entries at the end of the log are lost"
                    : "the result is not the state of one index"));
            return ExitCode.Corruption;
        });
        return command;
    }

    private static void WriteText(RepairReport report)
    {
        foreach (var problem in report.Problems) Console.Out.WriteLine(VerifyCommand.LineOf(problem));
        foreach (var loss in report.Losses)
        {
            var keys = loss.After is null && loss.Before is null
                ? ""
                : $"; keys {Key(loss.After, "the first")} to {Key(loss.Before, "the last")} may be missing or stale";
            Console.Out.WriteLine($"lost    {loss.File} at {loss.Offset}: {loss.What}{keys}");
        }

        Console.Out.WriteLine(
            (report.IsExact
                ? "exact: the state of index "
                : "not exact: the newest readable version of every key, up to index ")
            + $"{report.LastApplied.Index}, term {report.LastApplied.Term}; {SizeText.Count(report.LiveKeys)} keys");
    }

    private static string Key(byte[]? key, string absent) => key is null or [] ? absent : DumpWriter.Key(key);
}
