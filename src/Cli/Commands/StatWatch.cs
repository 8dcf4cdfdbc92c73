using System.Diagnostics;
using System.Globalization;
using Spectre.Console;
using Spectre.Console.Rendering;
using Varve.Cli.Json;
using Varve.Cli.Text;
using Varve.Cli.Watch;

namespace Varve.Cli.Commands;

/// <summary>
/// <c>varve stat --watch</c>: follows a writer. Redraws the table on a terminal until q or Ctrl-C; prints a line a look
/// elsewhere.
/// </summary>
/// <param name="engine">A read-only engine.</param>
/// <param name="interval">Time between two looks.</param>
/// <param name="looksMax">Number of looks after which it ends.</param>
internal sealed class StatWatch(LsmStateMachine engine, TimeSpan interval, long looksMax)
{
    private const int RatesShown = 60;

    private static readonly TimeSpan KeyInterval = TimeSpan.FromMilliseconds(50);

    private readonly RateHistory _history = new(RatesShown);
    private readonly Stopwatch _clock = Stopwatch.StartNew();

    public async Task RunAsync(bool json, CancellationToken cancellationToken)
    {
        try
        {
            if (json || Console.IsOutputRedirected) await PrintAsync(json, cancellationToken);
            else await DrawAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            // Ctrl-C is a way to end it.
        }
    }

    private async Task PrintAsync(bool json, CancellationToken cancellationToken)
    {
        using var output = Console.OpenStandardOutput();
        for (var look = 1L; ; look++)
        {
            var line = Look();
            if (json) JsonOutput.WriteLine(output, line);
            else
                Console.Out.WriteLine(string.Create(
                    CultureInfo.InvariantCulture,
                    $"{line.Seconds:F1} s  index {line.LastApplied.Index}  durable {line.Durable.Index}  "
                        + $"keys {line.Count}  {line.EntriesPerSecond:F0} entries/s  "
                        + $"memtables {SizeText.Format(line.MemtableBytes)}  "
                        + $"runs {line.Runs} of {SizeText.Format(line.RunBytes)}"));
            if (look >= looksMax) return;
            await Task.Delay(interval, TimeProvider.System, cancellationToken);
        }
    }

    private Task DrawAsync(CancellationToken cancellationToken) =>
        AnsiConsole.Live(new Spectre.Console.Text("")).StartAsync(async display =>
        {
            for (var look = 1L; ; look++)
            {
                display.UpdateTarget(Picture(Look()));
                if (look >= looksMax || await IsEndedAsync(cancellationToken)) return;
            }
        });

    private Rows Picture(StatLine line)
    {
        var rate = string.Create(CultureInfo.InvariantCulture, $"{line.EntriesPerSecond:N0} entries/s");
        IRenderable[] parts =
        [
            StatCommand.Table(engine),
            new Spectre.Console.Text($"{Sparkline.Draw(_history.Rates)} {rate}"),
            new Spectre.Console.Text($"{line.Seconds:F0} s; q ends"),
        ];
        return new Rows(parts);
    }

    private StatLine Look()
    {
        engine.TryCatchUp();
        var statistics = engine.GetStatistics();
        _history.Add(statistics.LastApplied.Index, _clock.Elapsed);
        return new StatLine(
            _clock.Elapsed.TotalSeconds, Position.Of(statistics.LastApplied), Position.Of(statistics.DurableLogId),
            engine.Count, _history.Current, statistics.MemtableBytes, statistics.Runs.Count,
            statistics.Runs.Sum(run => run.Bytes));
    }

    /// <summary>Waits for the next look; true if the user pressed q.</summary>
    private async Task<bool> IsEndedAsync(CancellationToken cancellationToken)
    {
        var until = _clock.Elapsed + interval;
        while (_clock.Elapsed < until)
        {
            while (!Console.IsInputRedirected && Console.KeyAvailable)
                if (Console.ReadKey(intercept: true).KeyChar is 'q' or 'Q') return true;
            var rest = until - _clock.Elapsed;
            if (rest <= TimeSpan.Zero) break;
            await Task.Delay(rest < KeyInterval ? rest : KeyInterval, TimeProvider.System, cancellationToken);
        }

        return false;
    }
}
