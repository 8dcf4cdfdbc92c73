using System.Diagnostics;

namespace Varve.Tests.Seeded;

/// <summary>The result of a test.</summary>
/// <param name="Passed">How many cases passed.</param>
/// <param name="Failures">What failed, or took the process down, and how.</param>
/// <param name="HasHung">It was stopped after its time.</param>
internal sealed record Outcome(int Passed, IReadOnlyList<string> Failures, bool HasHung)
{
    /// <summary>Something ran, and nothing failed.</summary>
    public bool IsPass => Passed > 0 && Failures.Count == 0;

    /// <summary>It exited by itself with a failure.</summary>
    public bool IsFailure => Failures.Count > 0 && !HasHung;
}

/// <summary>A <see cref="TestHost"/> and the conversation with it. One thread at a time.</summary>
internal sealed class TestProcess : IDisposable
{
    private readonly Process _process;
    private readonly Task<string> _errors;

    public TestProcess(string bed, string project, string temporary)
    {
        Project = project;
        var start = new ProcessStartInfo(
            "dotnet", ["exec", Path.Combine(bed, "Varve.Tests.Seeded.dll"), TestHost.Verb, "Varve.Tests." + project])
        {
            WorkingDirectory = bed,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["TMPDIR"] = temporary;
        start.Environment["DOTNET_TieredPGO"] = "0"; // everything runs once or twice
        _process = Process.Start(start)!;
        _errors = _process.StandardError.ReadToEndAsync();
    }

    public string Project { get; }

    /// <summary>A test took it down; it takes no more.</summary>
    public bool HasDied { get; private set; }

    /// <summary>Runs a test with a bug on; 0: none.</summary>
    public Outcome Run(int bug, string test, TimeSpan limit, bool goOn = false)
    {
        if (HasDied) return new Outcome(0, ["the process died before"], true);
        using var timer = new Timer(_ => _process.Kill(entireProcessTree: true), null, limit, Timeout.InfiniteTimeSpan);
        var time = Stopwatch.StartNew();
        var (passed, failures, last) = (0, new List<string>(), "nothing yet");
        try
        {
            _process.StandardInput.WriteLine($"{bug} {(goOn ? "all" : "first")} {test}");
            while (_process.StandardOutput.ReadLine() is { } line)
            {
                if (line == TestHost.Ended) return new Outcome(passed, failures, false);
                if (line.StartsWith(TestHost.Started, StringComparison.Ordinal)) last = line[TestHost.Started.Length..];
                else if (line.StartsWith(TestHost.Passed, StringComparison.Ordinal)) passed++;
                else if (line.StartsWith(TestHost.Failed, StringComparison.Ordinal))
                    failures.Add(line[TestHost.Failed.Length..]);
            }
        }
        catch (IOException)
        {
            // It died between two commands.
        }

        HasDied = true;
        _process.WaitForExit();
        var hasHung = time.Elapsed >= limit;
        failures.Add(
            $"{last}: " + (hasHung
                ? "hung"
                : $"the process died with code {_process.ExitCode}: {_errors.Result.Split('\n')[0]}"));
        return new Outcome(passed, failures, hasHung);
    }

    public void Dispose()
    {
        try
        {
            _process.Kill(entireProcessTree: true);
        }
        catch (InvalidOperationException)
        {
            // It is gone.
        }

        _process.WaitForExit();
        _process.Dispose();
    }
}
