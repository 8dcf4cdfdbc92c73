namespace Varve.Bench.Peers.Reports;

/// <summary>The files of a report.</summary>
internal static class ReportFiles
{
    public static void Write(BenchArguments arguments, RunResults results)
    {
        Console.WriteLine(MarkdownReport.Tables(results));
        if (arguments.Markdown is not null) File.WriteAllText(arguments.Markdown, MarkdownReport.Document(results));
        if (arguments.Plots is not null) PlotReport.Draw(results, arguments.Plots);
    }
}
