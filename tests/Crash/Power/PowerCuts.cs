using Varve.Tests.Crash.Children;
using Varve.Tests.Shared;

namespace Varve.Tests.Crash.Power;

/// <summary>
/// <c>power-cuts --cycles N [--durability X] [--lanes L] [--dir D]</c>: real file systems that go down. Needs root.
/// </summary>
internal static class PowerCuts
{
    private const int ImageMegabytes = 64;

    /// <summary>Answers false where it cannot run.</summary>
    public static async Task<bool> RunAsync(Soak soak)
    {
        var parent = soak.Text("dir", Directory.Exists("/dev/shm") ? "/dev/shm" : Path.GetTempPath());
        if (Ext4Image.WhyNot(parent) is { } reason)
        {
            soak.Write($"Not run: {reason}.");
            return false;
        }

        var program = ChildProgram.Of(soak);
        var cycles = soak.Number("cycles", 3);
        var lanes = (int)Math.Min(cycles, soak.Number("lanes", Math.Max(1, Environment.ProcessorCount)));
        var isHeldToPower = soak.Number("as-power", 0) != 0; // for the test of the test
        var only = soak.Text("durability", "");
        var durabilities = only.Length > 0 ? [Enum.Parse<Durability>(only)] : Enum.GetValues<Durability>();
        foreach (var (i, durability) in durabilities.Index())
        {
            var figures = new PowerFigures();
            var left = (cycles + durabilities.Length - 1 - i) / durabilities.Length;
            await Task.WhenAll(Enumerable.Range(0, (int)Math.Min(lanes, left)).Select(lane => Task.Run(async () =>
            {
                using var image = new Ext4Image(parent, ImageMegabytes);
                var seed = soak.Seed + ((ulong)lane << 20) + ((ulong)durability << 28);
                await new PowerLane(
                    program, image, durability, isHeldToPower ? Durability.Power : durability, seed, figures).RunAsync(
                    () =>
                    {
                        soak.Progress(() => $"{durability}: {figures}");
                        return Interlocked.Decrement(ref left) >= 0;
                    });
            })));
            soak.Write($"{durability}: {figures}");
        }

        return true;
    }
}
