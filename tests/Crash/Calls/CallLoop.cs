using System.Collections.Concurrent;
using Varve.Tests.Crash.Child;
using Varve.Tests.Crash.Children;
using Varve.Tests.Shared;

namespace Varve.Tests.Crash.Calls;

/// <summary>
/// <c>kill-at-calls</c> and <c>error-at-calls</c> <c>[--points N] [--scenario S] [--durability D] [--call C] [--ordinal K]</c>: a
/// fault at every file system call of every scenario, or at N of them, drawn by the seed.
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

    public static Task FailAsync(Soak soak) => RunAsync(soak, CallRun.FailedCalls, call => Errors.GetValueOrDefault(call, ["EIO", "ENOSPC"]));

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
            foreach (var group in (await run.CountAsync()).GroupBy(call => call.Name))
            {
                if (!calls.Contains(group.Key) || soak.Text("call", group.Key) != group.Key) continue;
                // strace counts each thread's calls for itself.
                var most = group.CountBy(call => call.Line.Split(' ')[0]).Max(thread => thread.Value);
                for (var k = 1; k <= most; k++)
                    foreach (var error in errors(group.Key)) counted.Add(new CallPoint(stage.scenario, stage.durability, group.Key, k, error));
            }
        });
        var only = soak.Number("ordinal", 0);
        var points = counted.Where(point => only == 0 || point.Ordinal == only)
            .OrderBy(point => point.ToString(), StringComparer.Ordinal).OrderBy(_ => random.Next()).ToArray();
        if (sample > 0) points = [.. points.Take(sample)];
        soak.Write($"{all.Length} scenarios by durability, {counted.Count} points, {points.Length} chosen");

        var (met, missed, foreign) = (0, 0, 0);
        await ForEachAsync(lanes, points, async point =>
        {
            using var run = new CallRun(program, Next(), point.Scenario, point.Durability, soak.Seed);
            var end = await run.MeetAsync(point);
            Interlocked.Increment(ref end == CallEnd.Met ? ref met : ref end == CallEnd.Missed ? ref missed : ref foreign);
            soak.Progress(() => $"{met} met, {missed} missed, {foreign} of the runtime's own");
        });
        soak.Write($"{met} met and exact, {missed} missed (fewer calls that time), {foreign} of the runtime's own");

        string Next() => Path.Combine(room.Path, $"run{Interlocked.Increment(ref numbers)}");
    }

    private static Task ForEachAsync<T>(int lanes, T[] items, Func<T, Task> action) =>
        Parallel.ForEachAsync(items, new ParallelOptions { MaxDegreeOfParallelism = lanes }, async (item, _) => await action(item));
}
