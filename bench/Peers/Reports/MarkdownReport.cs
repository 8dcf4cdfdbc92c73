using System.Globalization;
using System.Text;

namespace Varve.Bench.Peers.Reports;

/// <summary>The tables with ratios beside the goals, and what it takes to judge them.</summary>
internal static class MarkdownReport
{
    /// <summary>Figures that say something of the run rather than of the engine; they are in the JSON.</summary>
    private static readonly string[] NotInDetails = ["methods_compiled"];

    public static string Document(RunResults results)
    {
        var text = new StringBuilder();
        text.AppendLine("# Varve beside its peers").AppendLine();
        text.AppendLine("Every engine runs in a process of its own, engines take turns, "
            + "and each figure is the median of the rounds that its row names.");
        text.AppendLine(
            "Ratios are within one run. Made by `dotnet run -c Release --project bench/Peers` with the options below");
        text.AppendLine("([what they say, and how to add to this](../bench/Peers/README.md)):").AppendLine();
        for (var i = 0; i < results.Runs.Count; i++)
            text.AppendLine(Inv($"{i + 1}. {results.Runs[i].At:yyyy-MM-dd HH:mm}, {Origin(results.Runs[i])}"));
        var machine = results.Runs[^1].Machine;
        text.AppendLine().Append(Inv(
            $"Machine: {machine.Processor}, {machine.Cores} cores, {machine.MemoryGiB} GiB, {machine.Kernel}, "));
        text.AppendLine(Inv($"{machine.FileSystem}, {machine.Runtime}."));
        var peers = machine.Packages.Where(p => p.Key != "Varve").Select(p => $"{p.Key} {p.Value}");
        text.AppendLine($"Peers: {string.Join(", ", peers)}.").AppendLine();
        text.Append(Tables(results));
        text.AppendLine("## Beside the rows").AppendLine().Append(Details(results));
        text.AppendLine().AppendLine("## How it is measured").AppendLine();
        foreach (var note in Method.Notes) text.AppendLine($"- {note}");
        text.AppendLine().AppendLine("## Settings").AppendLine();
        foreach (var (engine, notes) in results.Settings)
        {
            text.AppendLine($"**{engine}**").AppendLine();
            foreach (var note in notes) text.AppendLine($"- {note}");
            text.AppendLine();
        }

        var missing = results.Failures.Select(f => $"{f.Key}: {f.Value}").ToList();
        missing.AddRange(Rows.All.Where(w => w.Goals.Length > 0 && results.Row(w).Count == 0).Select(
            w => $"{w.Name}, which has a goal: not measured"));
        if (missing.Count > 0) text.AppendLine("## Without a figure").AppendLine();
        foreach (var what in missing) text.AppendLine($"- {what}");
        return text.ToString().TrimEnd('\n') + "\n";
    }

    /// <summary>A table for each set that has been measured.</summary>
    public static string Tables(RunResults results)
    {
        var text = new StringBuilder();
        foreach (var set in Rows.All.GroupBy(w => w.Group.Set))
        {
            var rows = set.Select(w => (Workload: w, Engines: results.Row(w))).Where(r => r.Engines.Count > 0).ToList();
            if (rows.Count == 0) continue;
            text.AppendLine($"## {SetTitles.Of(set.Key)}").AppendLine();
            var engines = results.Engines.Where(e => rows.Any(r => r.Engines.ContainsKey(e))).ToList();
            text.AppendLine($"| work | {string.Join(" | ", engines)} | rounds | Varve against the goal |");
            text.AppendLine($"|---|{string.Concat(engines.Select(_ => "---:|"))}---:|---|");
            foreach (var (workload, row) in rows)
            {
                var cells = engines.Select(e => row.TryGetValue(e, out var summary) ? Cell(workload, summary) : "");
                text.AppendLine(
                    $"| {results.TitleOf(workload)} | {string.Join(" | ", cells)} | {Rounds(results, workload, row)} | "
                        + $"{Verdicts(workload, row)} |");
            }

            if (rows.Any(r => r.Workload.IsHotPath)) text.AppendLine(Allocation(rows, engines));
            text.AppendLine();
        }

        return text.ToString();
    }

    private static string Origin(RunResult run)
    {
        var options = run.Command.Length > 0 ? $"`{run.Command}`" : "no options";
        var varve = run.Machine.Packages.GetValueOrDefault("Varve");
        return Inv($"{options}: {run.Entries:N0} entries a data set unless the row says otherwise, ")
            + Inv($"{run.Seconds / 60:0} minutes, Varve {varve}");
    }

    private static string Rounds(RunResults results, Workload workload, IReadOnlyDictionary<string, Summary> row)
    {
        var rounds = row.Values.Min(s => s.Repetitions);
        return results.Runs.Count == 1 ? Inv($"{rounds}") : Inv($"{rounds} of run {results.NumberOf(workload)}");
    }

    private static string Cell(Workload workload, Summary summary)
    {
        var shown = $"{Short(workload.Figure.Of(summary))} {workload.Figure.Unit}";
        if (summary.Extra.TryGetValue("raw_p50_us", out var raw)) shown += $" (raw {Short(raw)})";
        if (summary.Extra.TryGetValue("scaling", out var scaling)) shown += $" ({Short(scaling)}x)";
        if (summary.Extra.TryGetValue("get_p999_us", out var get)) shown += $", p99.9 {Short(get)} µs";
        if (summary.Extra.TryGetValue("page_supply_gb_s", out var supply)) shown += $" (pages {Short(supply)} GB/s)";
        if (summary.Extra.TryGetValue("held_ms", out var held)) shown += $", held {Short(held)} ms";
        return shown;
    }

    /// <summary>The goals, or the ratio to the best ordered peer where nothing was asked.</summary>
    private static string Verdicts(Workload workload, IReadOnlyDictionary<string, Summary> row)
    {
        if (workload.Goals.Length > 0) return string.Join("; ", workload.Goals.Select(g => Verdict(g, workload, row)));
        return Goal.RatioToBestPeer(workload, row) is { } ratio ? $"{Short(ratio)}x the best ordered peer" : "";
    }

    private static string Verdict(Goal goal, Workload workload, IReadOnlyDictionary<string, Summary> row) =>
        goal.Measure(workload, row) is { } figure
            ? $"**{Short(figure)}** (asked {goal.Text}{(goal.Reached(figure) ? "" : ": not reached")})"
            : $"asked {goal.Text}";

    private static string Allocation(
        List<(Workload Workload, IReadOnlyDictionary<string, Summary> Engines)> rows, IReadOnlyList<string> engines)
    {
        // The largest of the rows: 0 only if every hot path allocates nothing.
        var cells = engines.Select(e => rows
            .Where(r => r.Workload.IsHotPath && r.Engines.ContainsKey(e))
            .Select(r => Math.Round(r.Engines[e].AllocatedBytesPerOperation, 1))
            .DefaultIfEmpty().Max()).ToList();
        var own = engines.ToList().IndexOf(Engines.BenchEngines.Varve);
        var verdict =
            own < 0 ? "asked 0 B" : $"**{Short(cells[own])}** (asked 0 B{(cells[own] == 0 ? "" : ": not reached")})";
        return $"| managed bytes allocated an operation, worst row | "
            + $"{string.Join(" | ", cells.Select(c => Short(c) + " B"))} | | {verdict} |";
    }

    private static string Details(RunResults results)
    {
        var text = new StringBuilder();
        foreach (var workload in Rows.All)
            foreach (var (engine, summary) in results.Row(workload).OrderBy(e => e.Key, StringComparer.Ordinal))
            {
                var figures = summary.Extra.Where(e => !NotInDetails.Contains(e.Key))
                    .OrderBy(e => e.Key, StringComparer.Ordinal)
                    .Select(e => $"{e.Key} {Short(e.Value)}").ToList();
                if (figures.Count > 1) text.AppendLine($"- {workload.Name}, {engine}: {string.Join(", ", figures)}");
            }

        return text.ToString();
    }

    /// <summary>Three digits, without exponents.</summary>
    public static string Short(double value) => Math.Abs(value) switch
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
