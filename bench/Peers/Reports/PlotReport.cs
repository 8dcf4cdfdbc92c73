using ScottPlot;

namespace Varve.Bench.Peers.Reports;

/// <summary>One bar chart of throughput for each row.</summary>
internal static class PlotReport
{
    private static readonly Dictionary<string, string> s_colours = new()
    {
        ["varve"] = "#1b6ca8", ["rocksdb"] = "#c8553d", ["lmdb"] = "#588157", ["zonetree"] = "#8d6a9f",
    };

    public static void Draw(RunResult result, string directory)
    {
        Directory.CreateDirectory(directory);
        var engines = result.EnginesMeasured();
        foreach (var workload in Workload.All)
        {
            var row = result.Row(workload);
            if (row.Count == 0) continue;
            using var plot = new Plot();
            var shown = engines.Where(row.ContainsKey).ToList();
            for (var i = 0; i < shown.Count; i++)
            {
                var rate = row[shown[i]].PerSecond;
                var bar = plot.Add.Bar(position: i, value: rate);
                bar.Color = Color.FromHex(s_colours[shown[i]]);
                bar.Bars[0].Label = rate >= 1e6 ? $"{rate / 1e6:0.00} M/s" : rate >= 1e3 ? $"{rate / 1e3:0.0} k/s" : $"{rate:0.0} /s";
            }

            plot.Axes.Bottom.TickGenerator = new ScottPlot.TickGenerators.NumericManual(
                [.. shown.Select((_, i) => (double)i)], [.. shown]);
            plot.Axes.Margins(bottom: 0, top: 0.15);
            plot.Title(workload.Title);
            plot.YLabel("operations per second");
            plot.SavePng(Path.Combine(directory, workload.Name + ".png"), 640, 420);
            plot.SaveSvg(Path.Combine(directory, workload.Name + ".svg"), 640, 420);
        }
    }
}
