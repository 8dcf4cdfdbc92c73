using System.Diagnostics;
using System.Globalization;

namespace Varve.Tests.Seeded;

/// <summary>How a run of the tests under a bug ended.</summary>
/// <param name="Passed">Tests that passed; with no failure beside, 0 says that the tests named do not exist or were skipped.</param>
/// <param name="Failure">The first test that failed or took the process down, and how; null: none.</param>
/// <param name="HasHung">It was stopped after its time.</param>
/// <param name="Output">All that was said.</param>
internal sealed record Outcome(int Passed, string? Failure, bool HasHung, string Output);

/// <summary>
/// The test projects' outputs, copied, with the libraries that have the bugs in the place of the real ones. Made once; disposing removes
/// it, with everything that the tests left behind.
/// </summary>
internal sealed class TestBed : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("varve-seeded-").FullName;

    /// <summary>Copies, mutates and builds.</summary>
    public TestBed(IReadOnlyList<Bug> bugs, IEnumerable<string> projects)
    {
        var root = Root();
        var configuration = Path.GetFileName(Path.GetDirectoryName(Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory)))!;
        var sources = Path.Combine(_directory, "tree");
        try
        {
            MutatedSources.Write(root, sources, bugs);
            var libraries = MutatedSources.Build(sources, configuration);
            foreach (var project in projects)
            {
                var bin = Path.Combine(root, "tests", project, "bin", configuration, "net10.0");
                if (!Directory.Exists(bin)) throw new InvalidOperationException($"{project} is not built.");
                CopyTree(bin, BedOf(project));
                foreach (var library in libraries) File.Copy(library, Path.Combine(BedOf(project), Path.GetFileName(library)), overwrite: true);
                // Without a list of its own dependencies the host resolves everything from the directory.
                foreach (var name in (ReadOnlySpan<string>)["Varve.Tests.Seeded.dll", "Varve.Tests.Seeded.runtimeconfig.json"])
                    File.Copy(Path.Combine(AppContext.BaseDirectory, name), Path.Combine(BedOf(project), name), overwrite: true);
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The root of the tree, upward from here.</summary>
    public static string Root()
    {
        for (var at = new DirectoryInfo(AppContext.BaseDirectory); at is not null; at = at.Parent)
            if (File.Exists(Path.Combine(at.FullName, "Engine.sln"))) return at.FullName;
        throw new InvalidOperationException("There is no Engine.sln above the test assembly.");
    }

    /// <summary>Runs tests of a project with a bug on; 0: none.</summary>
    /// <param name="project">The project.</param>
    /// <param name="bug">The bug's number.</param>
    /// <param name="tests">Methods with class and namespace, or prefixes that end in a star.</param>
    /// <param name="limit">After so long it hangs.</param>
    /// <param name="goOn">Goes on after a failure.</param>
    public Outcome Run(string project, int bug, IEnumerable<string> tests, TimeSpan limit, bool goOn = false)
    {
        var temporary = Directory.CreateDirectory(Path.Combine(_directory, $"run-{Guid.NewGuid():N}")).FullName;
        var start = new ProcessStartInfo(
            "dotnet", ["exec", Path.Combine(BedOf(project), "Varve.Tests.Seeded.dll"), TestHost.Verb, "Varve.Tests." + project, goOn ? "all" : "first", .. tests])
        {
            WorkingDirectory = BedOf(project),
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment[MutatedSources.Variable] = bug.ToString(CultureInfo.InvariantCulture);
        start.Environment["TMPDIR"] = temporary;
        start.Environment["DOTNET_TieredPGO"] = "0"; // these are short runs
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync();
        var text = process.StandardOutput.ReadToEndAsync();
        var hasHung = !process.WaitForExit(limit);
        if (hasHung) process.Kill(entireProcessTree: true);
        process.WaitForExit();
        var lines = text.Result.Split('\n');
        var outcome = new Outcome(
            lines.Count(line => line.StartsWith(TestHost.Passed, StringComparison.Ordinal)),
            FailureOf(lines, process.ExitCode, errors.Result, hasHung), hasHung, text.Result + errors.Result);
        TryDelete(temporary);
        return outcome;
    }

    public void Dispose() => TryDelete(_directory);

    private static string? FailureOf(string[] lines, int exitCode, string errors, bool hasHung)
    {
        var failed = lines.FirstOrDefault(line => line.StartsWith(TestHost.Failed, StringComparison.Ordinal));
        if (failed is not null && exitCode == 1) return failed[TestHost.Failed.Length..];
        if (exitCode == 0 || (exitCode == TestHost.NothingRan && !hasHung)) return null;
        var started = lines.LastOrDefault(line => line.StartsWith(TestHost.Started, StringComparison.Ordinal));
        if (started is null) throw new InvalidOperationException($"The host ended with code {exitCode} before any test:\n{errors}");
        var cause = errors.Split('\n').FirstOrDefault(line => line.Length > 0) ?? "nothing said";
        return $"{started[TestHost.Started.Length..]}: {(hasHung ? "hung" : $"the process ended with code {exitCode}: {cause}")}";
    }

    private string BedOf(string project) => Path.Combine(_directory, "tests", project);

    private static void CopyTree(string from, string to)
    {
        Directory.CreateDirectory(to);
        foreach (var file in Directory.EnumerateFiles(from)) File.Copy(file, Path.Combine(to, Path.GetFileName(file)));
        foreach (var directory in Directory.EnumerateDirectories(from)) CopyTree(directory, Path.Combine(to, Path.GetFileName(directory)));
    }

    private static void TryDelete(string directory)
    {
        try
        {
            Directory.Delete(directory, recursive: true);
        }
        catch (IOException)
        {
            // Below the system's directory for temporaries; a child of a test may still be dying in it.
        }
    }
}
