using System.Diagnostics;
using System.Globalization;
using Varve.Cli.Data;
using Varve.Cli.Json;
using Varve.Cli.Text;

namespace Varve.Cli.Commands;

using Command = System.CommandLine.Command;

/// <summary><c>varve compact</c>: flushes, then merges all runs into one.</summary>
internal static class CompactCommand
{
    public static Command Create()
    {
        var json = JsonOption.Create();
        var command = new Command("compact", "Flushes, then merges all runs into one.") { json };
        var database = new DatabaseOptions(command);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            await using var engine = database.OpenExisting(parsed);
            var before = engine.GetStatistics().Runs;
            var clock = Stopwatch.StartNew();
            using (var progress = new LongWork("merging"))
                await progress.WatchAsync(
                    engine.CompactAsync(cancellationToken), ProgressOf(database.DirectoryOf(parsed)));
            var after = engine.GetStatistics().Runs;
            if (parsed.GetValue(json))
                JsonOutput.WriteDocument(
                    new CompactReport(
                        before.Count, before.Sum(run => run.Bytes), after.Count, after.Sum(run => run.Bytes),
                        clock.Elapsed.TotalSeconds));
            else Console.Out.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{Describe(before)} -> {Describe(after)} in {clock.Elapsed.TotalSeconds:F2} s"));
            return ExitCode.Ok;
        });
        return command;
    }

    /// <summary>Counts the bytes that the merge has written, of those there are to merge.</summary>
    private static Func<(long Bytes, double? Share)> ProgressOf(string directory)
    {
        var before = LongWork.BytesOf(directory, "*.vtab");
        return () =>
        {
            var bytes = Math.Max(0, LongWork.BytesOf(directory, "*.vtab") - before);
            return (bytes, LongWork.ShareOf(bytes, before));
        };
    }

    private static string Describe(IReadOnlyList<RunStatistics> runs) =>
        $"{runs.Count} {(runs.Count == 1 ? "run" : "runs")} of {SizeText.Format(runs.Sum(run => run.Bytes))}";
}
