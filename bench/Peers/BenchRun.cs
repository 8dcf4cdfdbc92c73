using System.Diagnostics;
using Varve.Bench.Peers.Reports;

namespace Varve.Bench.Peers;

/// <summary>
/// A whole run: engines take turns, each group in a process of its own. The order moves on by one and turns round from one repetition to the next, so that
/// nobody is always first and nobody always follows the same other, whose freed memory and written pages the machine may still be busy with.
/// </summary>
internal static class BenchRun
{
    public static int Run(BenchArguments arguments)
    {
        var result = new RunResult { Machine = Machine.Describe(), Entries = arguments.Entries, Repeat = arguments.Repeat };
        var elapsed = Stopwatch.StartNew();
        var directory = Path.Combine(Path.GetFullPath(arguments.Data), $"peers-data-{Environment.ProcessId}");
        Directory.CreateDirectory(directory);
        try
        {
            Measure(arguments, result, directory);
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }

        result.Seconds = Math.Round(elapsed.Elapsed.TotalSeconds);
        Console.Error.WriteLine($"done in {result.Seconds:0} s");
        if (arguments.Save) Console.Error.WriteLine($"raw results: {result.Save()}");
        return Report(arguments, result);
    }

    public static int Report(BenchArguments arguments, RunResult result)
    {
        Console.WriteLine(MarkdownReport.Tables(result));
        if (arguments.Markdown is not null) File.WriteAllText(arguments.Markdown, MarkdownReport.Document(result));
        if (arguments.Plots is not null) PlotReport.Draw(result, arguments.Plots);
        return 0;
    }

    private static void Measure(BenchArguments arguments, RunResult result, string directory)
    {
        var groups = Rows.Groups.Where(g => arguments.Workloads.Any(w => w.Group == g)).ToList();
        for (var repetition = 0; repetition < arguments.Repeat; repetition++)
        foreach (var group in groups.Where(g => repetition == 0 || !g.Once))
        foreach (var engine in Order(arguments.Engines, repetition))
        {
            if (result.HasFailed(engine, group.Name)) continue;
            Console.Error.Write($"{repetition + 1}/{arguments.Repeat} {group.Name} {engine}: ");
            var watch = Stopwatch.StartNew();
            var (measured, failure) = ChildProcess.Run(arguments.ForChild(engine, group.Name, directory));
            if (measured is null) result.Fail(engine, group.Name, failure!);
            else result.Add(engine, measured);
            Console.Error.WriteLine($"{failure ?? "ok"} ({watch.Elapsed.TotalSeconds:0.0} s)");
            Clear(directory);
        }
    }

    private static IEnumerable<string> Order(IReadOnlyList<string> engines, int repetition)
    {
        var order = Enumerable.Range(0, engines.Count).Select(turn => engines[(turn + repetition) % engines.Count]);
        return repetition % 2 == 0 ? order : order.Reverse();
    }

    private static void Clear(string directory)
    {
        foreach (var path in Directory.EnumerateDirectories(directory)) Directory.Delete(path, recursive: true);
        foreach (var path in Directory.EnumerateFiles(directory)) File.Delete(path);
    }
}
