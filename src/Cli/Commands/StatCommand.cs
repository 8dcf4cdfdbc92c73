using System.CommandLine;
using System.Globalization;
using Spectre.Console;
using Spectre.Console.Rendering;
using Varve.Cli.Data;
using Varve.Cli.Json;
using Varve.Cli.Text;

namespace Varve.Cli.Commands;

using Command = System.CommandLine.Command;

/// <summary>
/// <c>varve stat</c>: prints the position and the sizes of a database. Reads through an engine that it has just opened,
/// so it leaves out counters of work since the open, and values that come from options.
/// </summary>
internal static class StatCommand
{
    public static Command Create()
    {
        var json = JsonOption.Create();
        var watch = new Option<bool>("--watch", "-w")
        {
            Description = "Follow a running writer, with rates; ends with q or Ctrl-C. Not on a terminal: one line an "
                + "interval.",
        };
        var interval = new Option<double>("--interval")
        {
            Description = "With --watch: seconds between two looks, from 0.01 on.",
            HelpName = "SECONDS",
            DefaultValueFactory = _ => 1,
        };
        var lines = new Option<long>("--count")
        {
            Description = "With --watch: end after N looks.",
            HelpName = "N",
            DefaultValueFactory = _ => long.MaxValue,
        };
        var command =
            new Command("stat", "Prints the applied index, live keys, memtables and runs.")
            {
                json, watch, interval, lines
            };
        var database = new DatabaseOptions(command);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            if (parsed.GetValue(interval) is not (>= 0.01 and <= 86_400) || parsed.GetValue(lines) < 1)
                throw new UsageException("--interval must be 0.01 to 86400 seconds, and --count 1 or more");
            await using var engine = database.OpenReadOnly(parsed);
            if (parsed.GetValue(watch))
            {
                var pause = TimeSpan.FromSeconds(parsed.GetValue(interval));
                var following = new StatWatch(engine, pause, parsed.GetValue(lines));
                await following.RunAsync(parsed.GetValue(json), cancellationToken);
                return ExitCode.Ok;
            }

            if (parsed.GetValue(json)) JsonOutput.WriteDocument(StatReport.Of(engine));
            else AnsiConsole.Write(Table(engine));
            return ExitCode.Ok;
        });
        return command;
    }

    /// <summary>The facts and the runs, to be printed.</summary>
    public static IRenderable Table(LsmStateMachine engine)
    {
        var statistics = engine.GetStatistics();
        var facts = new Grid().AddColumn(new GridColumn().NoWrap().PadRight(3)).AddColumn();
        void Fact(string name, string value) =>
            facts.AddRow(new Spectre.Console.Text(name), new Spectre.Console.Text(value));
        Fact("database", statistics.Name);
        Fact("last applied", $"index {statistics.LastApplied.Index}, term {statistics.LastApplied.Term}");
        Fact("durable", $"index {statistics.DurableLogId.Index}, term {statistics.DurableLogId.Term}; "
            + $"lag {SizeText.Count((long)statistics.DurableLag)} entries");
        Fact("live keys", SizeText.Count(engine.Count));
        Fact("leases", $"about {SizeText.Count(statistics.Leases)}");
        Fact("snapshot", engine.SnapshotMetadata is { } snapshot
            ? $"index {snapshot.LastIncluded.Index}, term {snapshot.LastIncluded.Term}, checksum "
                + $"{Convert.ToHexStringLower(snapshot.Checksum.Span)[..16]}..."
            : "none");
        if (MarkText.Of(engine) is { } mark) Fact("mark", mark);
        Fact(
            "memtables",
            $"{statistics.Memtables} ({SizeText.Format(statistics.MemtableBytes)} of segments, "
                + $"{SizeText.Format(statistics.MemtableIndexBytes)} of index)");
        Fact(
            "memory",
            $"{SizeText.Format(statistics.MemoryBytes)} of memtables, "
                + $"{SizeText.Format(statistics.ChunkBytes)} kept to apply chunks in");
        var disk = statistics.Disk;
        Fact(
            "disk",
            $"{SizeText.Format(disk.Total)} (log {SizeText.Format(disk.Log)}, tables {SizeText.Format(disk.Tables)}, "
                + $"manifest {SizeText.Format(disk.Manifest)})"
                + (statistics.FreeDiskBytes is { } free ? $", {SizeText.Format(free)} free" : ""));
        var torn = statistics.TornTailBytes == 0
            ? ""
            : $"; after them {SizeText.Format(statistics.TornTailBytes)} of no whole record: one that is being "
                + "written, or a torn tail";
        Fact("recovered", $"{SizeText.Count(statistics.RecoveredEntries)} entries from the WAL in "
            + $"{statistics.RecoveryTime.TotalMilliseconds.ToString("F1", CultureInfo.InvariantCulture)} ms{torn}");
        if (statistics.Fault is { } fault) Fact("fault", fault);
        if (statistics.Runs.Count == 0) return facts;

        var runs = new Table().Border(TableBorder.Simple).AddColumns("run", "tables", "rows", "bytes");
        for (var column = 1; column < 4; column++) runs.Columns[column].RightAligned();
        for (var run = 0; run < statistics.Runs.Count; run++)
        {
            var (tables, rows, bytes) = statistics.Runs[run];
            runs.AddRow(
                run.ToString(CultureInfo.InvariantCulture), SizeText.Count(tables), SizeText.Count(rows),
                SizeText.Format(bytes));
        }

        return new Rows(facts, runs);
    }
}
