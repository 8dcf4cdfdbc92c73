using System.CommandLine;
using System.Globalization;
using Varve.Cli.Data;
using Varve.Cli.Report;
using Varve.Cli.Sizes;
using Varve.Cli.Text;

namespace Varve.Cli.Commands;

using Command = System.CommandLine.Command;

/// <summary><c>varve report DIR --out FILE</c>: draws a database on one page for a browser.</summary>
internal static class ReportCommand
{
    public static Command Create()
    {
        var directory = new Argument<string>("DIR") { Description = "Directory of the database." };
        var file = new Option<string>("--out", "-o")
        {
            Description = "The page to write; it must not exist, unless with --force.",
            HelpName = "FILE",
            Required = true,
        };
        var force = new Option<bool>("--force") { Description = "Replace the page if it exists." };
        var separator = new Option<string>("--separator", "-s")
        {
            Description = "What ends the first level of a key; empty: do not group. Text or hex:.",
            HelpName = "TEXT",
            DefaultValueFactory = _ => "/",
        };
        var top = new Option<int>("--top", "-n")
        {
            Description = "Show at most N prefixes and N of the largest entries.",
            HelpName = "N",
            DefaultValueFactory = _ => 15,
        };
        var command = new Command(
            "report",
            "Writes one self-contained HTML page: runs, bytes by prefix, sizes, leases, write amplification.")
        {
            directory, file, force, separator, top
        };
        command.SetAction((parsed, cancellationToken) =>
        {
            var shown = parsed.GetValue(top);
            if (shown is < 1 or > 1000) throw new UsageException("--top must be 1 to 1000");
            var path = parsed.GetRequiredValue(file);
            if (File.Exists(path) && !parsed.GetValue(force))
                throw new UsageException($"{path} exists; --force replaces it");
            var report = Make(
                parsed.GetRequiredValue(directory), KeyText.Parse(parsed.GetValue(separator) ?? ""), shown,
                cancellationToken);
            DurableOutput.Write(path, stream =>
            {
                using var writer = new StreamWriter(stream);
                ReportPage.Write(report, writer);
                writer.Flush();
            });
            Console.WriteLine($"{path}: {SizeText.Format(new FileInfo(path).Length)}");
            return Task.FromResult(ExitCode.Ok);
        });
        return command;
    }

    private static ReportDocument Make(
        string directory, byte[] separator, int shown, CancellationToken cancellationToken)
    {
        using var engine = DatabaseOptions.OpenReadOnly(directory);
        var survey = new SizeSurvey([], separator, shown);
        using (var progress = new LongWork("counting"))
            survey.Run(engine, progress, engine.Count, cancellationToken);
        var statistics = engine.GetStatistics();
        return new ReportDocument(
            Path.GetFullPath(directory),
            TimeProvider.System.GetUtcNow().ToString("yyyy-MM-dd HH:mm:ss 'UTC'", CultureInfo.InvariantCulture),
            Facts(engine, statistics, survey),
            [
                ReportCharts.Runs(statistics.Runs),
                ReportCharts.Prefixes(survey, shown),
                ReportCharts.Sizes("key-sizes", "Key sizes", survey.KeySizes),
                ReportCharts.Sizes("value-sizes", "Value sizes", survey.ValueSizes),
                ReportCharts.Largest(survey),
                ReportCharts.Leases(survey.Leases),
                ReportCharts.Writes(ManifestHistory.Read(Path.GetFullPath(directory))),
            ]);
    }

    private static ReportFact[] Facts(LsmStateMachine engine, EngineStatistics statistics, SizeSurvey survey)
    {
        var tables = statistics.Runs.Sum(run => run.Bytes);
        return
        [
            new("last applied", $"index {statistics.LastApplied.Index}, term {statistics.LastApplied.Term}"),
            new("live keys", SizeText.Count(survey.Total.Keys)),
            new(
                "live data",
                $"{SizeText.Format(survey.Total.KeyBytes)} of keys, {SizeText.Format(survey.Total.ValueBytes)} of "
                    + "values"),
            new("tables", $"{SizeText.Format(tables)} in {SizeText.Count(statistics.Runs.Sum(run => run.Tables))}"),
            new("memtables", $"{SizeText.Format(statistics.MemtableBytes)} in {statistics.Memtables}"),
            new("leases", SizeText.Count(survey.Leases.Count)),
            new(
                "snapshot",
                engine.SnapshotMetadata is { } snapshot ? $"index {snapshot.LastIncluded.Index}" : "none"),
        ];
    }
}
