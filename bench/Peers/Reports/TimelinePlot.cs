using ScottPlot;

namespace Varve.Bench.Peers.Reports;

/// <summary>
/// A fill over time, four figures above one time axis: throughput, the longest chunk, the bytes that the process
/// writes, and its memory. Flushes and merges show as peaks of written bytes, and what they cost the applier as dips
/// above them.
/// </summary>
internal static class TimelinePlot
{
    private const int Width = 900;
    private const int PanelHeight = 250;
    private static readonly PixelPadding Padding = new(90, 20, 40, 35);

    public static void Draw(string title, IReadOnlyList<(string Engine, Measurement Measurement)> engines, string path)
    {
        var longest = engines.Max(
            e => e.Measurement.Series.TryGetValue("entries_per_slice", out var slices) ? slices.Length : 0);
        var figure = new Multiplot();
        figure.AddPlots(4);
        Panel("entries_per_slice", v => v * Timeline.SlicesPerSecond / 1e3, $"{title}: throughput", "thousand/s", 0);
        Panel("longest_chunk_us", v => Math.Log10(Math.Max(v, 1)), "longest chunk", "µs", 1).Axes.Left.TickGenerator =
            PlotReport.Decades(0, 7);
        Panel("written_mib", v => v * Timeline.SlicesPerSecond, "bytes written", "MiB/s", 2);
        Panel("anonymous_mib", v => v, "anonymous memory", "MiB", 3).XLabel("seconds");
        figure.SavePng(path, Width, 4 * PanelHeight);

        Plot Panel(string series, Func<double, double> value, string what, string unit, int position)
        {
            var plot = figure.GetPlot(position);
            foreach (var (engine, measurement) in engines)
            {
                if (!measurement.Series.TryGetValue(series, out var values)) continue;
                if (values.Length > 1) values = values[..^1];   // the last slice is a part of one
                var line = plot.Add.Scatter(
                    values.Select((_, i) => (i + 0.5) / Timeline.SlicesPerSecond).ToArray(),
                    values.Select(value).ToArray(), PlotReport.ColourOf(engine));
                line.MarkerSize = values.Length > 1 ? 0 : 5;
                line.LegendText = engine;
            }

            plot.Axes.AutoScale();
            plot.Axes.SetLimits(
                0, Math.Max(longest - 1, 1) / (double)Timeline.SlicesPerSecond, 0,
                Math.Max(plot.Axes.GetLimits().Top, 1));
            plot.Title(what);
            plot.YLabel(unit);
            plot.Layout.Fixed(Padding);
            if (position == 0) plot.ShowLegend(Alignment.UpperRight);
            else plot.HideLegend();
            return plot;
        }
    }
}
