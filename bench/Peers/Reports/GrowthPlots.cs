using ScottPlot;

namespace Varve.Bench.Peers.Reports;

/// <summary>Rows of one kind at several sizes of the data, as a line for each engine; both axes logarithmic.</summary>
internal static class GrowthPlots
{
    public static void Draw(RunResults results, string directory)
    {
        foreach (var curve in Rows.All.Where(w => w.Curve is not null).GroupBy(w => w.Curve!))
        {
            using var plot = new Plot();
            var sizes = new SortedSet<long>();
            foreach (var engine in results.Engines)
            {
                var points = curve
                    .Where(w => results.Row(w).ContainsKey(engine))
                    .Select(w =>
                        (Size: w.Group.EntriesOf(results.EntriesOf(w)), Figure: w.Figure.Of(results.Row(w)[engine])))
                    .OrderBy(p => p.Size).ToList();
                if (points.Count == 0) continue;
                sizes.UnionWith(points.Select(p => p.Size));
                var line = plot.Add.Scatter(
                    points.Select(p => Math.Log10(p.Size)).ToArray(),
                    points.Select(p => Math.Log10(Math.Max(p.Figure, 1e-4))).ToArray(),
                    PlotReport.ColourOf(engine));
                line.LegendText = engine;
            }

            if (sizes.Count == 0) continue;
            plot.Axes.Bottom.TickGenerator = new ScottPlot.TickGenerators.NumericManual(
                [.. sizes.Select(s => Math.Log10(s))],
                [.. sizes.Select(s => s.ToString("#,0", System.Globalization.CultureInfo.InvariantCulture))]);
            plot.Axes.Left.TickGenerator = PlotReport.Decades(-4, 6, 2, 5);
            plot.Title($"{curve.Key} by entries");
            plot.YLabel(curve.First().Figure.Unit);
            plot.ShowLegend(Edge.Right);
            PlotReport.Save(
                plot, directory, "growth-" + curve.Key.Replace(",", "", StringComparison.Ordinal).Replace(' ', '-'));
        }
    }
}
