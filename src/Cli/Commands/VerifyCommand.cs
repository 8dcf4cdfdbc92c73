using System.CommandLine;
using Varve.Cli.Json;
using Varve.Cli.Text;
using Varve.Inspection;
using Varve.Storage;

namespace Varve.Cli.Commands;

using Command = System.CommandLine.Command;

/// <summary>
/// <c>varve verify PATH</c>: reports every problem of a database or a snapshot, and changes nothing.
/// </summary>
internal static class VerifyCommand
{
    public static Command Create()
    {
        var path = new Argument<string>("PATH")
        {
            Description = "Path of a database's or a snapshot's directory, or of a packed .varve file."
        };
        var quick =
            new Option<bool>("--quick")
            {
                Description = "Check only the parts that an open reads: pointers, manifest, log and table footers. "
                    + "Damage inside tables stays unseen."
            };
        var deep = new Option<bool>("--deep") { Hidden = true }; // the default
        var progress = new Option<bool>("--progress")
        {
            Description = "Print the name of each file on standard error; on a terminal, progress is shown anyway."
        };
        var json = JsonOption.Create();
        var command = new Command(
            "verify", "Reports all damage in a database or a snapshot, with file and offset; writes nothing.")
        {
            path, quick, deep, progress, json
        };
        command.SetAction(parsed =>
        {
            var target = parsed.GetRequiredValue(path);
            var isDeep = !parsed.GetValue(quick);
            using var reading = new ReadingProgress(target, parsed.GetValue(progress));
            var problems = Verification.Check(Storages.Default, target, isDeep, out var totals, reading.Report);
            reading.Dispose();
            var damages = problems.Count(problem => problem.Severity == Severity.Damage);
            if (parsed.GetValue(json))
                JsonOutput.WriteDocument(
                    VerifyDocument.Of(target, isDeep, problems, totals));
            else WriteText(problems, damages, totals);
            return SayDamages(target, damages);
        });
        return command;
    }

    /// <summary>Prints the problems; returns the exit code for damage, or null if there is none.</summary>
    public static int? Fail(string path, IReadOnlyList<Problem> problems)
    {
        var damages = problems.Count(problem => problem.Severity == Severity.Damage);
        if (damages == 0) return null;
        foreach (var problem in problems) Console.Out.WriteLine(LineOf(problem));
        return SayDamages(path, damages);
    }

    /// <summary>A problem on one line.</summary>
    public static string LineOf(Problem problem) =>
        $"{(problem.Severity == Severity.Damage ? "damage" : "remark")}  {problem.File} at {problem.Offset}: "
            + $"{problem.Structure}: {problem.Text}"
            .ReplaceLineEndings(" ");

    private static int SayDamages(string path, int damages)
    {
        if (damages == 0) return ExitCode.Ok;
        Console.Out.Flush();
        Console.Error.WriteLine($"varve: {path}: {(damages == 1 ? "1 damage" : $"{damages} damages")}");
        return ExitCode.Corruption;
    }

    private static void WriteText(IReadOnlyList<Problem> problems, int damages, VerificationTotals totals)
    {
        foreach (var problem in problems) Console.Out.WriteLine(LineOf(problem));
        Console.Out.WriteLine(
            $"{(damages == 0 ? "ok" : "damaged")}  {totals.Kind}: {totals.Files} files, "
            + $"{SizeText.Format(totals.Bytes)} read, {SizeText.Count(totals.Blocks)} blocks, "
            + $"{SizeText.Count(totals.Rows)} rows, {SizeText.Count(totals.Records)} log records, "
            + $"{SizeText.Count(totals.Entries)} entries");
    }
}
