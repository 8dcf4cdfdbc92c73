using System.Diagnostics;
using System.Runtime.InteropServices;
using Varve.Bench.Peers.Reports;

namespace Varve.Bench.Peers;

/// <summary>
/// A whole run: engines take turns, each group in a process of its own. The order rotates and reverses from one round
/// to the next, so that no engine is always first or always follows the same other, whose freed memory and written
/// pages may still occupy the machine. Results are on disk at once: a run may be interrupted.
/// </summary>
internal sealed class BenchRun(BenchArguments arguments, RunResult result, string raw)
{
    private const int Interrupted = 130;
    private readonly CancellationTokenSource _stop = new();
    private readonly Progress _progress = new(Plan(arguments), arguments.TimeLimit, arguments.Entries);

    public static int Run(BenchArguments arguments)
    {
        var result =
            new RunResult { Machine = Machine.Describe(), Entries = arguments.Entries, Command = arguments.Command };
        var run = new BenchRun(arguments, result, arguments.Raw ?? result.UsualPath());
        using var onInterrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, run.Stop);
        using var onTerminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, run.Stop);
        run.Measure();
        if (run._stop.IsCancellationRequested)
        {
            Console.Error.WriteLine($"interrupted; --report {run.RawPath} makes a report of what there is");
            return Interrupted;
        }

        ReportFiles.Write(arguments, RunResults.Of(result));
        return 0;
    }

    private string RawPath => raw;

    private void Measure()
    {
        var directory = Path.Combine(Path.GetFullPath(arguments.Data), $"peers-data-{Environment.ProcessId}");
        Directory.CreateDirectory(directory);
        Console.Error.WriteLine($"raw results: {raw}; {_progress.Outlook}");
        try
        {
            foreach (var turns in Plan(arguments).GroupBy(t => (t.Group, t.Round)))
            {
                // All engines of a round or none: a row is a comparison.
                var missing = turns.Where(t => !result.HasFailed(t.Engine, t.Group.Name)).ToList();
                if (!_progress.HasTimeFor(missing))
                {
                    Skip(turns.Key.Group, turns.Key.Round, missing);
                    continue;
                }

                foreach (var turn in turns)
                {
                    if (missing.Contains(turn)) Measure(turn, directory);
                    else _progress.Drop(turn);
                    if (_stop.IsCancellationRequested) return;
                }
            }
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    private void Measure(Turn turn, string directory)
    {
        Console.Error.Write(
            $"{_progress.Position} {turn.Group.Name} {turn.Engine}, round {turn.Round} of "
                + $"{arguments.RoundsOf(turn.Group)}: ");
        var watch = Stopwatch.StartNew();
        var (measured, failure) = ChildProcess.Run(
            arguments.ForChild(turn.Engine, turn.Group.Name, directory), stop: _stop.Token);
        if (_stop.IsCancellationRequested) return;
        if (measured is null) result.Fail(turn.Engine, turn.Group.Name, failure!);
        else result.Add(turn.Engine, measured);
        _progress.Took(turn, watch.Elapsed.TotalSeconds);
        Keep();
        Console.Error.WriteLine($"{failure ?? "ok"} ({watch.Elapsed.TotalSeconds:0.0} s); {_progress.Outlook}");
        Clear(directory);
    }

    /// <summary>A row without any round is shown as missing.</summary>
    private void Skip(Group group, int round, IReadOnlyList<Turn> turns)
    {
        foreach (var turn in turns)
        {
            _progress.Drop(turn);
            if (round == 1) result.Fail(turn.Engine, group.Name, "no time was left");
        }

        Keep();
        Console.Error.WriteLine($"{group.Name}, round {round}: left out, no time; {_progress.Outlook}");
    }

    private void Keep()
    {
        result.Seconds = Math.Round(_progress.Elapsed.TotalSeconds);
        result.Save(raw);
    }

    private void Stop(PosixSignalContext signal)
    {
        signal.Cancel = true;
        _stop.Cancel();
    }

    private static IReadOnlyList<Turn> Plan(BenchArguments arguments)
    {
        var groups = Rows.Groups.Where(g => arguments.Workloads.Any(w => w.Group == g)).ToList();
        var rounds = groups.Select(arguments.RoundsOf).DefaultIfEmpty().Max();
        return
        [
            .. from round in Enumerable.Range(1, rounds)
               from @group in groups
               where round <= arguments.RoundsOf(@group)
               from engine in Order(arguments.EnginesOf(@group), round - 1)
               select new Turn(@group, engine, round),
        ];
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
