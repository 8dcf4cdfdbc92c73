using System.Diagnostics;
using System.Text.Json;

namespace Varve.Bench.Peers;

/// <summary>The parent's side of one child.</summary>
internal static class ChildProcess
{
    private static readonly TimeSpan s_timeLimit = TimeSpan.FromMinutes(60);

    /// <summary>Runs a child to its end; a result, or the reason why there is none.</summary>
    public static (ChildResult? Result, string? Failure) Run(IEnumerable<string> arguments)
    {
        var program = Environment.ProcessPath!;
        var start = new ProcessStartInfo(program) { RedirectStandardOutput = true, RedirectStandardError = true };
        if (Path.GetFileNameWithoutExtension(program) == "dotnet") start.ArgumentList.Add(typeof(ChildProcess).Assembly.Location);
        foreach (var argument in arguments) start.ArgumentList.Add(argument);

        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEndAsync();
        if (!process.WaitForExit(s_timeLimit))
        {
            process.Kill(entireProcessTree: true);
            return (null, "ran out of time");
        }

        var line = output.Result.Split('\n').LastOrDefault(l => l.StartsWith(ChildRunner.ResultPrefix, StringComparison.Ordinal));
        if (process.ExitCode == 0 && line is not null)
            return (JsonSerializer.Deserialize<ChildResult>(line.AsSpan(ChildRunner.ResultPrefix.Length)), null);
        var reason = errors.Result.Split('\n').FirstOrDefault(l => l.Length > 0) ?? "no result";
        return (null, $"exit code {process.ExitCode}: {reason}");
    }
}
