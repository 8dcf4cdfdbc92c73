using System.Diagnostics;
using Varve.Tests.Shared;

namespace Varve.Tests.Seeded;

/// <summary>The command line: all bugs or one, against their tests or against whole projects.</summary>
internal static class Hunt
{
    /// <summary>The longest that a test may take to meet its bug, on a machine that is busy with other things.</summary>
    public static TimeSpan Limit { get; } = TimeSpan.FromSeconds(60);

    /// <summary><c>run [--bug NAME]</c>: every test named passes without its bug and fails with it.</summary>
    public static Task Run(Soak soak)
    {
        var bugs = Chosen(soak);
        using var bed = new TestBed(BugList.All, bugs.Select(bug => bug.Project).Distinct());
        soak.Write($"built in {soak.Elapsed.TotalSeconds:F1} s");
        var missed = new List<string>();
        Parallel.ForEach(bugs.GroupBy(bug => bug.Project), new ParallelOptions { MaxDegreeOfParallelism = 2 }, project =>
        {
            var outcome = bed.Run(project.Key, 0, project.Select(bug => bug.Test).Distinct(), Limit * 2);
            if (outcome.Failure is { } failure) lock (missed) missed.Add($"without any bug: {failure}");
        });
        soak.Write($"passed without a bug at {soak.Elapsed.TotalSeconds:F1} s");
        Parallel.ForEach(bugs, new ParallelOptions { MaxDegreeOfParallelism = 2 }, bug =>
        {
            var time = Stopwatch.StartNew();
            var outcome = bed.Run(bug.Project, BugList.NumberOf(bug), [bug.Test], Limit);
            var isCaught = outcome.Failure is not null && !outcome.HasHung;
            soak.Write($"{(isCaught ? "caught" : "MISSED")} {bug.Name} {time.Elapsed.TotalSeconds:F1} s: {Short(outcome.Failure)}");
            if (!isCaught) lock (missed) missed.Add(bug.Name);
        });
        return missed.Count == 0 ? Task.CompletedTask : throw new InvalidOperationException(string.Join('\n', missed));
    }

    /// <summary><c>search --project NAME [--bug NAME]</c>: all tests of a project that fail with a bug, to choose the one that names it.</summary>
    public static Task Search(Soak soak)
    {
        var project = soak.Text("project", "Engine");
        using var bed = new TestBed(BugList.All, [project]);
        foreach (var bug in Chosen(soak))
        {
            var outcome = bed.Run(project, BugList.NumberOf(bug), [soak.Text("tests", "*")], Limit * 5, goOn: true);
            soak.Write($"{bug.Name}: {outcome.Passed} passed{(outcome.HasHung ? ", hung" : "")}");
            foreach (var line in outcome.Output.Split('\n').Where(line => line.StartsWith(TestHost.Failed, StringComparison.Ordinal))) soak.Write("    " + Short(line));
            if (outcome.Failure is not null) soak.Write("    first: " + Short(outcome.Failure));
        }

        return Task.CompletedTask;
    }

    /// <summary><c>list</c>: the table of docs/SEEDED-BUGS.md.</summary>
    public static Task List(Soak soak)
    {
        foreach (var line in Document.Rows) soak.Write(line);
        return Task.CompletedTask;
    }

    private static List<Bug> Chosen(Soak soak) => soak.Text("bug", "") is { Length: > 0 } names ? [.. names.Split(',').Select(BugList.Named)] : [.. BugList.All];

    private static string Short(string? text) => text is null ? "" : text.Length > 240 ? text[..240] : text;
}
