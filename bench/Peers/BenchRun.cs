using System.Diagnostics;
using Varve.Bench.Peers.Reports;

namespace Varve.Bench.Peers;

/// <summary>A whole run: engines take turns, each group in a process of its own, the order rotating from one repetition to the next.</summary>
internal static class BenchRun
{
    public static int Run(BenchArguments arguments)
    {
        var result = new RunResult(Machine.Describe(), arguments.Entries, arguments.Repeat);
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

        Console.Error.WriteLine($"done in {elapsed.Elapsed.TotalSeconds:0} s");
        Console.WriteLine(MarkdownReport.Table(result));
        if (arguments.Markdown is not null) File.WriteAllText(arguments.Markdown, MarkdownReport.Document(result));
        if (arguments.Save) Console.Error.WriteLine($"raw results: {result.Save()}");
        if (arguments.Plots is not null) PlotReport.Draw(result, arguments.Plots);
        return 0;
    }

    private static void Measure(BenchArguments arguments, RunResult result, string directory)
    {
        var groups = arguments.Workloads.Select(w => w.Group).Distinct().ToList();
        for (var repetition = 0; repetition < arguments.Repeat; repetition++)
        foreach (var group in groups)
        for (var turn = 0; turn < arguments.Engines.Count; turn++)
        {
            var engine = arguments.Engines[(turn + repetition) % arguments.Engines.Count];
            if (result.HasFailed(engine, group)) continue;
            Console.Error.Write($"{repetition + 1}/{arguments.Repeat} {group} {engine}: ");
            var watch = Stopwatch.StartNew();
            var (measured, failure) = ChildProcess.Run(arguments.ForChild(engine, group, directory));
            if (measured is null) result.Fail(engine, group, failure!);
            else result.Add(engine, measured);
            Console.Error.WriteLine($"{failure ?? "ok"} ({watch.Elapsed.TotalSeconds:0.0} s)");
            Clear(directory);
        }
    }

    private static void Clear(string directory)
    {
        foreach (var path in Directory.EnumerateDirectories(directory)) Directory.Delete(path, recursive: true);
        foreach (var path in Directory.EnumerateFiles(directory)) File.Delete(path);
    }
}
