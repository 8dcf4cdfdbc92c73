using System.Diagnostics;
using System.Text.Json;

namespace Varve.Bench.Peers;

/// <summary>The parent's side of one child.</summary>
internal static class ChildProcess
{
    private static readonly TimeSpan TimeLimit = TimeSpan.FromMinutes(60);

    /// <summary>
    /// Runs a child to its end; a result, or the reason why there is none. What matters is whether it sent a result: a
    /// child may be killed by itself.
    /// </summary>
    /// <param name="arguments">Its command line.</param>
    /// <param name="cap">Where its memory is limited; null: it is not.</param>
    /// <param name="stop">Ends it before its time.</param>
    public static (ChildResult? Result, string? Failure) Run(
        IEnumerable<string> arguments, MemoryCap? cap = null, CancellationToken stop = default)
    {
        var program = Environment.ProcessPath!;
        string[] command = Path.GetFileNameWithoutExtension(program) == "dotnet"
            ? [program, typeof(ChildProcess).Assembly.Location]
            : [program];
        string[] line = [.. cap?.Enter() ?? [], .. command, .. arguments];
        var start =
            new ProcessStartInfo(line[0], line[1..]) { RedirectStandardOutput = true, RedirectStandardError = true };
        using var process = Process.Start(start)!;
        using var registration = stop.Register(() => process.Kill(entireProcessTree: true));
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEndAsync();
        if (!process.WaitForExit(TimeLimit))
        {
            process.Kill(entireProcessTree: true);
            return (null, "ran out of time");
        }

        var sent = output.Result.Split('\n').LastOrDefault(
            l => l.StartsWith(ChildRunner.ResultPrefix, StringComparison.Ordinal));
        if (sent is not null)
            return (JsonSerializer.Deserialize<ChildResult>(sent.AsSpan(ChildRunner.ResultPrefix.Length)), null);
        var reason = errors.Result.Split('\n').FirstOrDefault(l => l.Length > 0) ?? "no result";
        return (null, $"exit code {process.ExitCode}: {reason}");
    }
}
