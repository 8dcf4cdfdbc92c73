using System.CommandLine;
using System.Globalization;
using Spectre.Console;
using Varve.Cli.Bench;
using Varve.Cli.Json;
using Varve.Cli.Text;

namespace Varve.Cli.Commands;

using Command = System.CommandLine.Command;

/// <summary><c>varve bench DIR</c>: measures this machine in a directory of its own, which it then removes.</summary>
internal static class BenchCommand
{
    private const int CountMax = 10_000_000;
    private const int ValueBytesMax = 1 << 20;

    private static readonly string[] Workloads = ["fill", "read", "scan", "mixed"];

    public static Command Create()
    {
        var path = new Argument<string>("DIR")
        {
            Description = "Directory for the database: absent, and removed later."
        };
        var workload = new Option<string[]>("--workload", "-w")
        {
            Description = "Workloads to run after fill: read, scan, mixed; all if not given.",
            AllowMultipleArgumentsPerToken = true,
        };
        workload.AcceptOnlyFromAmong(Workloads);
        var keys = Number("--keys", "Number of keys that fill writes.", 100_000);
        var calls = Number("--calls", "Number of calls of each other workload.", 10_000);
        var value = Number("--value-bytes", "Bytes of a value.", 100);
        var chunk = Number("--chunk", "Entries of a chunk.", 100);
        var scan = Number("--scan-entries", "Entries of a scan.", 100);
        var power = new Option<bool>("--power") { Description = "Sync each chunk: durable when power fails." };
        var json = new Option<bool>("--json") { Description = "Print one JSON object a workload, one a line." };
        var command = new Command("bench", "Measures fill, read, scan and mixed work: throughput and percentiles.")
        {
            path, workload, keys, calls, value, chunk, scan, power, json
        };
        command.SetAction((parsed, cancellationToken) =>
        {
            var sizes = new BenchSizes(
                Checked(keys, CountMax), Checked(calls, CountMax), Checked(value, ValueBytesMax),
                Checked(chunk, 65_536), Checked(scan, CountMax));
            var wanted = parsed.GetValue(workload) is { Length: > 0 } some ? some : Workloads;
            var options = new EngineOptions
            {
                Durability = parsed.GetValue(power) ? Durability.Power : Durability.Process
            };
            var results = Run(parsed.GetRequiredValue(path), options, sizes, wanted, cancellationToken);
            if (parsed.GetValue(json)) WriteLines(results);
            else WriteTable(results);
            return Task.FromResult(ExitCode.Ok);

            int Checked(Option<int> option, int max) => parsed.GetValue(option) is > 0 and var number && number <= max
                ? number
                : throw new UsageException($"{option.Name} must be 1 to {max}");
        });
        return command;
    }

    private static List<BenchResult> Run(
        string directory, EngineOptions options, BenchSizes sizes, string[] wanted, CancellationToken cancellationToken)
    {
        if (Path.Exists(directory)) throw new UsageException($"{directory}: exists; bench removes its directory");
        try
        {
            using var engine = LsmStateMachine.Open(directory, options);
            var run = new BenchRun(engine, sizes, cancellationToken);
            List<BenchResult> results = [run.Fill()];
            if (wanted.Contains("read")) results.Add(run.Read());
            if (wanted.Contains("scan")) results.Add(run.Scan());
            if (wanted.Contains("mixed")) results.Add(run.Mixed());
            return results;
        }
        finally
        {
            if (Directory.Exists(directory)) Directory.Delete(directory, recursive: true);
        }
    }

    private static Option<int> Number(string name, string description, int usual) => new(name)
    {
        Description = description,
        HelpName = "N",
        DefaultValueFactory = _ => usual,
    };

    private static void WriteLines(List<BenchResult> results)
    {
        using var output = Console.OpenStandardOutput();
        foreach (var result in results) JsonOutput.WriteLine(output, result);
    }

    private static void WriteTable(List<BenchResult> results)
    {
        var table = new Table().Border(TableBorder.Simple).AddColumn("workload");
        string[] numbers = ["calls", "entries/s", "MB/s", "p50 us", "p90 us", "p99 us", "p99.9 us", "max us"];
        foreach (var name in numbers)
            table.AddColumn(new TableColumn(name).RightAligned());
        foreach (var result in results)
            table.AddRow(
                result.Workload, SizeText.Count(result.Calls), Text(result.EntriesPerSecond, "N0"),
                Text(result.BytesPerSecond / 1e6, "N1"), Text(result.P50Us, "N1"), Text(result.P90Us, "N1"),
                Text(result.P99Us, "N1"), Text(result.P999Us, "N1"), Text(result.MaxUs, "N1"));
        AnsiConsole.Write(table);

        static string Text(double number, string format) => number.ToString(format, CultureInfo.InvariantCulture);
    }
}
