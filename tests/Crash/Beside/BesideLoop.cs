using Varve.Tests.Crash.Children;
using Varve.Tests.Shared;

namespace Varve.Tests.Crash.Beside;

/// <summary>
/// <c>beside --seconds N [--durability X] [--lanes L] [--dir D]</c>: readers beside a writer of another process, in
/// each durability.
/// </summary>
internal static class BesideLoop
{
    public static async Task RunAsync(Soak soak)
    {
        var seconds = soak.Number("seconds", 60);
        var only = soak.Text("durability", "");
        var lanes = (int)soak.Number("lanes", 1);
        string[] durabilities = only.Length > 0 ? [only] : Enum.GetNames<Durability>();
        var program = ChildProgram.Of(soak);
        using var room = new CrashDirectory(soak.Text("dir", Path.GetTempPath()));
        foreach (var (i, durability) in durabilities.Index())
        {
            var figures = new BesideFigures();
            var end = TimeSpan.FromSeconds(seconds * (i + 1) / (double)durabilities.Length);
            await Task.WhenAll(Enumerable.Range(0, lanes).Select(lane => Task.Run(() =>
                new BesideLane(program, room.Path, durability, soak.Seed + ((ulong)lane << 20), figures).RunAsync(() =>
                {
                    soak.Progress(() => $"{durability}: {figures}");
                    return soak.Elapsed < end;
                }))));
            soak.Write($"{durability}: {figures}");
        }
    }
}
