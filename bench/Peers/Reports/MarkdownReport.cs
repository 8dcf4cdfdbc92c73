using System.Globalization;
using System.Text;

namespace Varve.Bench.Peers.Reports;

/// <summary>The table with ratios beside the goals, and what it takes to judge it.</summary>
internal static class MarkdownReport
{
    public static string Document(RunResult result)
    {
        var text = new StringBuilder();
        text.AppendLine("# Varve beside its peers").AppendLine();
        text.AppendLine(Inv($"{result.At:yyyy-MM-dd}, {result.Entries:N0} entries a data set, median of {result.Repeat}, each engine in its own process, interleaved."));
        text.AppendLine("Made by `dotnet run -c Release --project bench/Peers -- --markdown FILE`; add `--quick` for a run under three minutes.").AppendLine();
        var machine = result.Machine;
        text.AppendLine(Inv($"Machine: {machine.Processor}, {machine.Cores} cores, {machine.MemoryGiB} GiB, {machine.Kernel}, {machine.FileSystem}, {machine.Runtime}."));
        text.AppendLine($"Packages: {string.Join(", ", machine.Packages.Select(p => $"{p.Key} {p.Value}"))}.").AppendLine();
        text.AppendLine("Random rows: 16-byte random keys, 100-byte values, half of each compressible. Reads copy the value out; scans touch every key and value.");
        text.AppendLine("Inputs are built before the clock starts. Durable rows are medians, and *raw* is pwrite + fdatasync of the same bytes by the same process in turns with it.").AppendLine();
        text.Append(Table(result));
        text.AppendLine().AppendLine("## Beside the rows").AppendLine().Append(Details(result));
        text.AppendLine().AppendLine("## Settings").AppendLine();
        foreach (var (engine, notes) in result.Settings)
        {
            text.AppendLine($"**{engine}**").AppendLine();
            foreach (var note in notes) text.AppendLine($"- {note}");
            text.AppendLine();
        }

        if (result.Failures.Count > 0)
        {
            text.AppendLine("## Without a figure").AppendLine();
            foreach (var (what, reason) in result.Failures) text.AppendLine($"- {what}: {reason}");
        }

        return text.ToString();
    }

    public static string Table(RunResult result)
    {
        var engines = result.EnginesMeasured();
        var text = new StringBuilder();
        text.AppendLine($"| work | {string.Join(" | ", engines)} | Varve against the goal |");
        text.AppendLine($"|---|{string.Concat(engines.Select(_ => "---:|"))}---|");
        foreach (var workload in Workload.All)
        {
            var row = result.Row(workload);
            if (row.Count == 0) continue;
            var cells = engines.Select(e => row.TryGetValue(e, out var summary) ? Cell(workload, summary) : "");
            text.AppendLine($"| {workload.Title} | {string.Join(" | ", cells)} | {string.Join("; ", workload.Goals.Select(g => Verdict(g, workload, row)))} |");
        }

        text.AppendLine(Allocation(result, engines));
        return text.ToString();
    }

    private static string Cell(Workload workload, Summary summary)
    {
        var figure = workload.Show(summary);
        var shown = workload.Unit switch
        {
            Unit.KiloPerSecond => $"{Short(figure)} k/s",
            Unit.Milliseconds => $"{Short(figure)} ms",
            _ => $"{Short(figure)} µs",
        };
        if (summary.Extra.TryGetValue("raw_p50_us", out var raw)) shown += $" (raw {Short(raw)})";
        if (summary.Extra.TryGetValue("scaling", out var scaling)) shown += $" ({Short(scaling)}x)";
        if (summary.Extra.TryGetValue("writes_per_second", out var writes))
            shown += $", {Short(writes / 1e3)} k writes/s, p99.9 {Short(summary.Extra["get_p999_us"])} µs";
        if (summary.Extra.TryGetValue("held_ms", out var held)) shown += $", held {Short(held)} ms";
        return shown;
    }

    private static string Verdict(Goal goal, Workload workload, IReadOnlyDictionary<string, Summary> row)
    {
        var measured = row.ContainsKey("varve") ? goal.Measure(workload, row) : null;
        if (measured is not { } figure) return $"asked {goal.Text}";
        return $"**{Short(figure)}** (asked {goal.Text}{(goal.Reached(figure) ? "" : ": not reached")})";
    }

    private static string Allocation(RunResult result, IReadOnlyList<string> engines)
    {
        // The largest of the rows: 0 only if every hot path allocates nothing. A checkpoint is no hot path.
        var cells = engines.Select(e => Workload.All
            .Where(w => w.Name != "checkpoint")
            .Select(w => result.Row(w)).Where(r => r.ContainsKey(e)).Select(r => r[e].AllocatedBytesPerOperation)
            .DefaultIfEmpty().Max());
        return $"| managed bytes allocated an operation, worst row | {string.Join(" | ", cells.Select(c => Short(Math.Round(c, 2)) + " B"))} | asked 0 B |";
    }

    private static string Details(RunResult result)
    {
        var text = new StringBuilder();
        foreach (var workload in Workload.All)
        foreach (var (engine, summary) in result.Row(workload).OrderBy(e => e.Key, StringComparer.Ordinal))
        {
            if (summary.Extra.Count == 0) continue;
            var figures = summary.Extra.OrderBy(e => e.Key, StringComparer.Ordinal).Select(e => $"{e.Key} {Short(e.Value)}");
            text.AppendLine($"- {workload.Name}, {engine}: {string.Join(", ", figures)}");
        }

        return text.ToString();
    }

    /// <summary>Three digits, without exponents.</summary>
    private static string Short(double value) => Math.Abs(value) switch
    {
        0 => "0",
        < 0.0995 => value.ToString("0.0000", CultureInfo.InvariantCulture),
        < 0.995 => value.ToString("0.000", CultureInfo.InvariantCulture),
        < 9.95 => value.ToString("0.00", CultureInfo.InvariantCulture),
        < 99.5 => value.ToString("0.0", CultureInfo.InvariantCulture),
        _ => value.ToString("#,0", CultureInfo.InvariantCulture),
    };

    private static string Inv(FormattableString text) => FormattableString.Invariant(text);
}
