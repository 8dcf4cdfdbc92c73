using Varve.Tests.Crash.Children;
using Varve.Tests.Shared;

namespace Varve.Tests.Crash.Kill;

/// <summary>
/// <c>kill --cycles N [--durability X] [--lanes L] [--dir D]</c>: SIGKILL, again and again, in each durability.
/// </summary>
internal static class KillLoop
{
    public static async Task RunAsync(Soak soak)
    {
        var cycles = soak.Number("cycles", 200);
        var only = soak.Text("durability", "");
        var lanes = (int)soak.Number("lanes", Math.Max(1, Environment.ProcessorCount));
        var isEarly = soak.Number("early", 0) != 0;
        string[] durabilities = only.Length > 0 ? [only] : Enum.GetNames<Durability>();
        var program = ChildProgram.Of(soak);
        using var room = new CrashDirectory(soak.Text("dir", Path.GetTempPath()));
        foreach (var (i, durability) in durabilities.Index())
        {
            var figures = new KillFigures();
            var left = (cycles + durabilities.Length - 1 - i) / durabilities.Length;
            await Task.WhenAll(Enumerable.Range(0, lanes).Select(lane => Task.Run(() =>
                new KillLane(program, room.Path, durability, soak.Seed + ((ulong)lane << 20), isEarly, figures)
                    .RunAsync(() =>
                    {
                        soak.Progress(() => $"{durability}: {figures}");
                        return Interlocked.Decrement(ref left) >= 0;
                    }))));
            soak.Write($"{durability}: {figures}");
        }
    }
}
