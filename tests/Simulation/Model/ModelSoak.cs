using Varve.Tests.Shared;

namespace Varve.Tests.Simulation.Model;

/// <summary>
/// Many worlds, each an engine of random shape beside a plain model, for as many operations as are asked for. A world
/// follows from its number and the seed alone; a difference names both.
/// </summary>
internal static class ModelSoak
{
    private const long OperationsAWorld = 250_000;

    public static void Run(Soak soak, long otherwise)
    {
        var wanted = soak.Number("operations", otherwise);
        var first = soak.Number("world", 0);
        var root = Directory.CreateDirectory(Path.Combine(
            soak.Text("directory", Path.GetTempPath()), $"varve-model-{Environment.ProcessId}-{soak.Seed}")).FullName;
        long next = first - 1, done = 0, reopened = 0, installed = 0;
        try
        {
            Parallel.For(0, Environment.ProcessorCount, (_, loop) =>
            {
                while (Interlocked.Read(ref done) < wanted && !loop.IsStopped)
                {
                    var number = Interlocked.Increment(ref next);
                    try
                    {
                        using var world = new ModelWorld(Path.Combine(root, $"{number}"), HashCode(soak.Seed, number));
                        world.Run(
                            Math.Min(OperationsAWorld, wanted), operations => Interlocked.Add(ref done, operations));
                        Interlocked.Add(ref reopened, world.Reopened);
                        Interlocked.Add(ref installed, world.Installed);
                    }
                    catch (Exception difference)
                    {
                        loop.Stop();
                        throw new InvalidOperationException(
                            $"--seed {soak.Seed} --world {number}: {difference.Message}", difference);
                    }

                    soak.Progress(() => $"{Interlocked.Read(ref done):N0} operations");
                }
            });
        }
        finally
        {
            Directory.Delete(root, recursive: true);
        }

        soak.Write(
            $"{done:N0} operations in {next + 1 - first} worlds, {reopened:N0} reopenings, {installed:N0} installs, 0 "
                + $"differences, {soak.Elapsed:hh\\:mm\\:ss}, seed {soak.Seed}");
    }

    private static int HashCode(ulong seed, long world) =>
        (int)(((seed + ((ulong)world * 0x9E3779B97F4A7C15)) * 0xD6E8FEB86659FD93) >> 33);
}
