using System.Collections.Concurrent;
using Varve.Tests.Crash.Child;
using Varve.Tests.Crash.Children;
using Varve.Tests.Shared;

namespace Varve.Tests.Crash.Calls;

/// <summary>
/// <c>kill-at-calls</c> and <c>error-at-calls</c> <c>[--points N] [--scenario S] [--durability D] [--call C] [--ordinal
/// K]</c>: a fault at every file system call of every scenario, or at N of them, drawn by the seed.
/// </summary>
internal static class CallLoop
{
    private static readonly Dictionary<string, string[]> Errors = new()
    {
        ["openat"] = ["EIO", "ENOSPC", "EMFILE"],
        ["pread64"] = ["EIO"],
        ["flock"] = ["EIO"],
        ["unlink"] = ["EIO"],
        ["rmdir"] = ["EIO"],
        ["msync"] = ["EIO"],
    };

    public static Task KillAsync(Soak soak) => RunAsync(soak, CallRun.KilledCalls, _ => [null]);

    public static Task FailAsync(Soak soak) =>
        RunAsync(soak, CallRun.FailedCalls, call => Errors.GetValueOrDefault(call, ["EIO", "ENOSPC"]));

    private static async Task RunAsync(Soak soak, string[] calls, Func<string, string?[]> errors)
    {
        if (Strace.WhyNot() is { } reason)
        {
            soak.Write($"Not run: {reason}.");
            return;
        }

        var lanes = (int)soak.Number("lanes", Math.Max(1, Environment.ProcessorCount));
        var program = ChildProgram.Of(soak);
        using var room = new CrashDirectory(soak.Text("dir", Path.GetTempPath()));
        var numbers = 0;
        var counted = new ConcurrentBag<CallPoint>();
        var stages = from scenario in Scenario.All
                     where soak.Text("scenario", scenario.Name) == scenario.Name
                     from durability in Enum.GetValues<Durability>()
                     where soak.Text("durability", $"{durability}") == $"{durability}"
                     select (scenario, durability);
        var all = stages.ToArray();
        var sample = (int)soak.Number("points", 0);
        var random = new Random((int)(soak.Seed & int.MaxValue));
        // A sample needs not every count: a few of the stages, each with several points.
        if (sample > 0) all = [.. all.OrderBy(_ => random.Next()).Take(Math.Max(1, sample / 6))];
        await ForEachAsync(lanes, all, async stage =>
        {
            using var run = new CallRun(program, Next(), stage.scenario, stage.durability, soak.Seed);
            foreach (var point in await run.CountAsync())
            {
                if (!calls.Contains(point.Call) || soak.Text("call", point.Call) != point.Call) continue;
                foreach (var error in errors(point.Call)) counted.Add(point with { Error = error });
            }
        });
        var only = soak.Number("ordinal", 0);
        var points = counted.Where(point => only == 0 || point.Ordinal == only)
            .OrderBy(point => point.ToString(), StringComparer.Ordinal).OrderBy(_ => random.Next()).ToArray();
        if (sample > 0) points = [.. points.Take(sample)];
        soak.Write($"{all.Length} scenarios by durability, {counted.Count} points, {points.Length} chosen");

        var met = 0;
        await ForEachAsync(lanes, points, async point =>
        {
            using var run = new CallRun(program, Next(), point.Scenario, point.Durability, soak.Seed);
            await run.MeetAsync(point);
            Interlocked.Increment(ref met);
            soak.Progress(() => $"{met} met");
        });
        soak.Write($"{met} of {points.Length} met and exact");

        string Next() => Path.Combine(
            Directory.CreateDirectory(Path.Combine(room.Path, $"run{Interlocked.Increment(ref numbers)}")).FullName,
            "db");
    }

    private static Task ForEachAsync<T>(int lanes, T[] items, Func<T, Task> action) =>
        Parallel.ForEachAsync(
            items, new ParallelOptions { MaxDegreeOfParallelism = lanes }, async (item, _) => await action(item));
}
