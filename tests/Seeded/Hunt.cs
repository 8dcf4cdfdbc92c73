using System.Collections.Concurrent;
using System.Diagnostics;
using Varve.Tests.Shared;

namespace Varve.Tests.Seeded;

/// <summary>What came of a bug.</summary>
/// <param name="Bug">The bug.</param>
/// <param name="Caught">How its test failed; null: it was missed.</param>
/// <param name="Missed">Why it was missed.</param>
/// <param name="Time">How long it took.</param>
internal sealed record Finding(Bug Bug, string? Caught, string? Missed, TimeSpan Time);

/// <summary>
/// Runs every bug's test with the bug on, when it has to fail, and then, in the same process, with none, when it has to pass: a
/// failure that has another reason, or that the process brought along from an earlier bug, counts for nothing. A bug that such
/// a process says is missed is tried again in one of its own.
/// </summary>
internal static class Hunt
{
    private const int Workers = 2;

    /// <summary>The longest that a test may take, on a machine that is busy with other things.</summary>
    public static TimeSpan Limit { get; } = TimeSpan.FromSeconds(60);

    /// <summary>Hunts bugs, two at a time.</summary>
    public static IReadOnlyList<Finding> All(TestBed bed, IReadOnlyList<Bug> bugs, Action<Finding> found)
    {
        var queue = new ConcurrentQueue<Bug>(bugs.OrderBy(bug => bug.Project, StringComparer.Ordinal));
        var findings = new ConcurrentBag<Finding>();
        Parallel.For(0, Workers, _ =>
        {
            TestProcess? process = null;
            try
            {
                while (queue.TryDequeue(out var bug))
                {
                    var time = Stopwatch.StartNew();
                    if (process?.Project != bug.Project) Renew(bug);
                    var isFresh = false;
                    while (true)
                    {
                        var (caught, missed, isSpent) = Try(process!, bug);
                        if (missed is not null && !isFresh)
                        {
                            Renew(bug);
                            isFresh = true;
                            continue;
                        }

                        var finding = new Finding(bug, caught, missed, time.Elapsed);
                        findings.Add(finding);
                        found(finding);
                        if (isSpent) Renew(bug);
                        break;
                    }
                }
            }
            finally
            {
                process?.Dispose();
            }

            void Renew(Bug bug)
            {
                process?.Dispose();
                process = bed.Start(bug.Project);
            }
        });
        return [.. findings.OrderBy(finding => BugList.NumberOf(finding.Bug))];
    }

    /// <summary><c>run [--bug NAME,NAME]</c>: every bug is caught by its test.</summary>
    public static Task Run(Soak soak)
    {
        var bugs = Chosen(soak);
        using var bed = new TestBed(BugList.All, bugs.Select(bug => bug.Project).Distinct());
        soak.Write($"built in {soak.Elapsed.TotalSeconds:F1} s");
        var findings = All(bed, bugs, finding => soak.Write(
            $"{(finding.Missed is null ? "caught" : "MISSED")} {finding.Bug.Name} {finding.Time.TotalSeconds:F1} s: {Short(finding.Missed ?? finding.Caught!)}"));
        var missed = findings.Where(finding => finding.Missed is not null).Select(finding => finding.Bug.Name).ToList();
        soak.Write($"{findings.Count - missed.Count} of {findings.Count} caught");
        return missed.Count == 0 ? Task.CompletedTask : throw new InvalidOperationException($"missed: {string.Join(", ", missed)}");
    }

    /// <summary><c>search --project NAME [--bug NAME,NAME] [--tests PREFIX]</c>: all tests of a project that fail with a bug, to choose the one that names it.</summary>
    public static Task Search(Soak soak)
    {
        var project = soak.Text("project", "Engine");
        using var bed = new TestBed(BugList.All, [project]);
        foreach (var bug in Chosen(soak))
        {
            using var process = bed.Start(project);
            var outcome = process.Run(BugList.NumberOf(bug), $"Varve.Tests.{project}.{soak.Text("tests", "")}*", Limit * 5, goOn: true);
            soak.Write($"{bug.Name}: {outcome.Passed} passed");
            foreach (var failure in outcome.Failures) soak.Write("    " + Short(failure));
        }

        return Task.CompletedTask;
    }

    /// <summary><c>list</c>: the table of docs/SEEDED-BUGS.md.</summary>
    public static Task List(Soak soak)
    {
        foreach (var line in Document.Rows) soak.Write(line);
        return Task.CompletedTask;
    }

    private static (string? Caught, string? Missed, bool IsSpent) Try(TestProcess process, Bug bug)
    {
        var with = process.Run(BugList.NumberOf(bug), bug.Test, Limit);
        if (!with.IsFailure) return (null, with.HasHung ? "the test hung" : with.Passed == 0 ? "no test ran" : "the test passed", with.HasDied);
        if (with.HasDied) return (with.Failures[0], null, true);
        var without = process.Run(0, bug.Test, Limit);
        return without.IsPass ? (with.Failures[0], null, false)
            : (null, "without the bug: " + (without.Failures.Count > 0 ? without.Failures[0] : "no test ran"), without.HasDied);
    }

    private static List<Bug> Chosen(Soak soak) => soak.Text("bug", "") is { Length: > 0 } names ? [.. names.Split(',').Select(BugList.Named)] : [.. BugList.All];

    private static string Short(string text) => text.Length > 240 ? text[..240] : text;
}
