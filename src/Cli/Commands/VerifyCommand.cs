using System.CommandLine;
using System.Text.Json;
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
        var json = new Option<bool>("--json") { Description = "Print one JSON object." };
        var command = new Command(
            "verify", "Reports all damage in a database or a snapshot, with file and offset; writes nothing.")
        {
            path, quick, deep, progress, json
        };
        command.SetAction(parsed =>
        {
            var target = parsed.GetRequiredValue(path);
            var isDeep = !parsed.GetValue(quick);
            using var reading = ReadingProgress.Create(parsed.GetValue(progress));
            var problems = Verification.Check(Storages.Default, target, isDeep, out var totals, reading.Report);
            reading.Dispose();
            var damages = problems.Count(problem => problem.Severity == Severity.Damage);
            if (parsed.GetValue(json)) WriteJson(target, isDeep, problems, damages, totals);
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

    /// <summary>A problem as a JSON object.</summary>
    public static void WriteJson(Utf8JsonWriter writer, Problem problem)
    {
        writer.WriteStartObject();
        writer.WriteString("severity", problem.Severity == Severity.Damage ? "damage" : "remark");
        writer.WriteString("file", problem.File);
        writer.WriteNumber("offset", problem.Offset);
        writer.WriteString("structure", problem.Structure);
        writer.WriteString("problem", problem.Text);
        writer.WriteEndObject();
    }

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

    private static void WriteJson(
        string path, bool deep, IReadOnlyList<Problem> problems, int damages, VerificationTotals totals)
    {
        using var output = Console.OpenStandardOutput();
        using (var writer = new Utf8JsonWriter(output, new JsonWriterOptions { Indented = true }))
        {
            writer.WriteStartObject();
            writer.WriteString("path", path);
            writer.WriteString("kind", totals.Kind);
            writer.WriteBoolean("deep", deep);
            writer.WriteBoolean("whole", damages == 0);
            writer.WriteNumber("damages", damages);
            writer.WriteNumber("remarks", problems.Count - damages);
            writer.WriteStartArray("problems");
            foreach (var problem in problems) WriteJson(writer, problem);
            writer.WriteEndArray();
            writer.WriteNumber("files", totals.Files);
            writer.WriteNumber("bytes", totals.Bytes);
            writer.WriteNumber("blocks", totals.Blocks);
            writer.WriteNumber("rows", totals.Rows);
            writer.WriteNumber("records", totals.Records);
            writer.WriteNumber("entries", totals.Entries);
            writer.WriteEndObject();
        }

        output.WriteByte((byte)'\n');
    }
}
