using System.Collections.Concurrent;
using System.Diagnostics;
using Varve.Tests.Shared;

namespace Varve.Tests.Seeded;

/// <summary>The result for one bug.</summary>
/// <param name="Bug">The bug.</param>
/// <param name="Caught">How its test failed; null: it was missed.</param>
/// <param name="Missed">Why it was missed.</param>
/// <param name="Time">How long it took.</param>
internal sealed record Finding(Bug Bug, string? Caught, string? Missed, TimeSpan Time);

/// <summary>
/// Runs every bug's test with the bug on, when it has to fail, and then, in the same process, with none, when it has to
/// pass: a failure that has another reason, or that the process brought along from an earlier bug, counts for nothing.
/// Whoever seems to be missed is tried again in a process of its own.
/// </summary>
internal static class Hunt
{
    private const int Workers = 2;

    /// <summary>The longest that a test may take, on a machine that is busy with other things.</summary>
    public static TimeSpan Limit { get; } = TimeSpan.FromSeconds(60);

    /// <summary>Hunts bugs, two at a time; those of one test one after the other.</summary>
    public static IReadOnlyList<Finding> All(TestBed bed, IReadOnlyList<Bug> bugs, Action<Finding> found)
    {
        var queue = new ConcurrentQueue<Bug[]>(bugs.GroupBy(bug => bug.Test).Select(test => test.ToArray())
            .OrderBy(test => test[0].Project, StringComparer.Ordinal));
        var findings = new ConcurrentBag<Finding>();
        Parallel.For(0, Workers, _ =>
        {
            TestProcess? process = null;
            try
            {
                while (queue.TryDequeue(out var sameTest))
                {
                    if (process is null || process.HasDied || process.Project != sameTest[0].Project)
                        Renew(sameTest[0]);
                    foreach (var finding in Try(process!, sameTest))
                    {
                        var final = finding;
                        if (finding.Missed is not null)
                        {
                            Renew(finding.Bug);
                            final = Try(process!, [finding.Bug]).Single();
                        }

                        findings.Add(final);
                        found(final);
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
            $"{(finding.Missed is null ? "caught" : "MISSED")} {finding.Bug.Name} {finding.Time.TotalSeconds:F1} s: "
                + $"{Short(finding.Missed ?? finding.Caught!)}"));
        var missed = findings.Where(finding => finding.Missed is not null).Select(finding => finding.Bug.Name).ToList();
        soak.Write($"{findings.Count - missed.Count} of {findings.Count} caught");
        return missed.Count == 0
            ? Task.CompletedTask
            : throw new InvalidOperationException($"missed: {string.Join(", ", missed)}");
    }

    /// <summary>
    /// <c>search --tests PROJECT:PREFIX,... [--bug NAME,NAME]</c>: all tests that fail with a bug, to choose the one
    /// that names it.
    /// </summary>
    public static Task Search(Soak soak)
    {
        var where = soak.Text("tests", "Engine:").Split(',').Select(text => text.Split(':')).ToList();
        using var bed = new TestBed(BugList.All, where.Select(parts => parts[0]).Distinct());
        foreach (var bug in Chosen(soak))
        {
            foreach (var parts in where)
            {
                using var process = bed.Start(parts[0]);
                var outcome = process.Run(
                    BugList.NumberOf(bug), $"Varve.Tests.{parts[0]}.{parts[1]}*", Limit * 5, goOn: true);
                soak.Write($"{bug.Name}: {outcome.Passed} of {parts[0]} passed");
                foreach (var failure in outcome.Failures) soak.Write("    " + Short(failure));
            }
        }

        return Task.CompletedTask;
    }

    /// <summary><c>list</c>: the table of docs/SEEDED-BUGS.md.</summary>
    public static Task List(Soak soak)
    {
        foreach (var line in Document.Rows) soak.Write(line);
        return Task.CompletedTask;
    }

    /// <summary>The bugs of one test, then the test without any.</summary>
    private static List<Finding> Try(TestProcess process, Bug[] bugs)
    {
        var findings = new List<Finding>();
        foreach (var bug in bugs)
        {
            var time = Stopwatch.StartNew();
            var with = process.Run(BugList.NumberOf(bug), bug.Test, Limit);
            var missed = with.IsFailure
                ? null
                : with.HasHung ? "the test hung"
                : with.Passed == 0 ? "no test ran"
                : "the test passed";
            findings.Add(new Finding(bug, missed is null ? with.Failures[0] : null, missed, time.Elapsed));
        }

        var without = process.Run(0, bugs[0].Test, Limit);
        return without.IsPass ? findings
            : [.. findings.Select(finding => finding with
            {
                Missed = finding.Missed
                    ?? "without the bug: " + (without.Failures.Count > 0 ? without.Failures[0] : "no test ran")
            })];
    }

    private static List<Bug> Chosen(Soak soak) =>
        soak.Text("bug", "") is { Length: > 0 } names ? [.. names.Split(',').Select(BugList.Named)] : [.. BugList.All];

    private static string Short(string text) => text.Length > 240 ? text[..240] : text;
}
