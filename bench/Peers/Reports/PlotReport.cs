using ScottPlot;

namespace Varve.Bench.Peers.Reports;

/// <summary>
/// The figures: a bar chart for each row, latency percentiles; what happens over time and with the size of the data has
/// classes of its own.
/// </summary>
internal static class PlotReport
{
    private const int Width = 760;
    private const int Height = 460;

    private static readonly Dictionary<string, string> Colours = new()
    {
        ["varve"] = "#1b6ca8",
        ["rocksdb"] = "#c8553d",
        ["rocksdb-default"] = "#e0a458",
        ["lmdb"] = "#588157",
        ["zonetree"] = "#8d6a9f",
    };

    public static void Draw(RunResults results, string directory)
    {
        Directory.CreateDirectory(directory);
        foreach (var workload in Rows.All)
        {
            var row = results.Row(workload);
            if (row.Count == 0) continue;
            if (workload.Curve is not null) continue;   // drawn over the size of the data
            Bars(results, workload, row, directory);
            var typical = results.Engines.Select(e => (Engine: e, Measurement: results.Typical(workload, e)!))
                .Where(t => t.Measurement is not null).ToList();
            foreach (var series in typical.SelectMany(t => t.Measurement.Series.Keys).Distinct()
                .Where(s => s.EndsWith("_us", StringComparison.Ordinal) && s != "longest_chunk_us"))
                Latencies(results, workload, typical, series, directory);
            if (typical.Any(t => t.Measurement.Series.ContainsKey("entries_per_slice")))
                TimelinePlot.Draw(
                    results.TitleOf(workload), typical, Path.Combine(directory, $"{workload.Name}-over-time.png"));
        }

        GrowthPlots.Draw(results, directory);
    }

    public static Color ColourOf(string engine) => Color.FromHex(Colours[engine]);

    public static void Save(Plot plot, string directory, string name) =>
        plot.SavePng(Path.Combine(directory, name + ".png"), Width, Height);

    private static void Bars(
        RunResults results, Workload workload, IReadOnlyDictionary<string, Summary> row, string directory)
    {
        using var plot = new Plot();
        var shown = results.Engines.Where(row.ContainsKey).ToList();
        for (var i = 0; i < shown.Count; i++)
        {
            var figure = workload.Figure.Of(row[shown[i]]);
            var bar = plot.Add.Bar(position: i, value: figure);
            bar.Color = ColourOf(shown[i]);
            bar.Bars[0].Label = MarkdownReport.Short(figure);
        }

        plot.Axes.Bottom.TickGenerator = new ScottPlot.TickGenerators.NumericManual(
            [.. shown.Select((_, i) => (double)i)], [.. shown]);
        plot.Axes.Margins(bottom: 0, top: 0.15);
        plot.Title(results.TitleOf(workload));
        plot.YLabel(workload.Figure.Unit + (workload.Figure.MoreIsBetter ? ", more is better" : ", less is better"));
        Save(plot, directory, workload.Name);
    }

    /// <summary>Latency by percentile; the horizontal axis counts nines, as HdrHistogram's plots do.</summary>
    private static void Latencies(
        RunResults results, Workload workload, List<(string Engine, Measurement Measurement)> typical, string series,
        string directory)
    {
        var last = Meter.Percentiles.Count - 2;   // the largest is drawn where the next nine would be
        var positions = Meter.Percentiles.Select((p, i) => Nines(i > last ? 99.9999 : p)).ToArray();
        using var plot = new Plot();
        foreach (var (engine, measurement) in typical)
        {
            if (!measurement.Series.TryGetValue(series, out var latencies)) continue;
            var line = plot.Add.Scatter(
                positions, latencies.Select(l => Math.Log10(Math.Max(l, 0.01))).ToArray(), ColourOf(engine));
            line.LegendText = engine;
        }

        plot.Axes.Bottom.TickGenerator = new ScottPlot.TickGenerators.NumericManual(
            [Nines(0), Nines(50), Nines(90), Nines(99), Nines(99.9), Nines(99.99), Nines(99.999), Nines(99.9999)],
            ["0", "50%", "90%", "99%", "99.9%", "99.99%", "99.999%", "max"]);
        plot.Axes.Left.TickGenerator = Decades(-2, 7);
        plot.Title($"{results.TitleOf(workload)}: {series[..^3]} latency by percentile");
        plot.YLabel("µs");
        plot.ShowLegend(Alignment.UpperLeft);
        Save(plot, directory, $"{workload.Name}-{series[..^3]}-latency");
    }

    /// <summary>
    /// Ticks of an axis of decimal logarithms: at each decade, and at each of <paramref name="steps"/> times it.
    /// </summary>
    public static ScottPlot.TickGenerators.NumericManual Decades(int from, int to, params int[] steps)
    {
        var values = Enumerable.Range(from, to - from + 1)
            .SelectMany(d => steps.Prepend(1).Select(s => s * Math.Pow(10, d))).ToArray();
        return new(
            [.. values.Select(Math.Log10)],
            [.. values.Select(v => v.ToString("#,0.####", System.Globalization.CultureInfo.InvariantCulture))]);
    }

    private static double Nines(double percentile) => -Math.Log10(1 - percentile / 100);
}
