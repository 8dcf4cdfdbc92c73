using System.Diagnostics;

namespace Varve.Bench.Micro.Background;

/// <summary>
/// Measures an open after a kill with a nearly full segment of 64 MiB, by orders of keys and sizes of chunks. A child
/// fills and kills itself, so that the files are in the page cache as an engine leaves them; the first open of a shape
/// does not count.
/// </summary>
internal static class RecoveryQuick
{
    public const string FillPart = "recovery-fill";
    private const int Entries = 480_000;
    private const int Opens = 5;

    public static void Run()
    {
        foreach (var chunkEntries in (int[])[100, 1])
            Measure($"{Entries:N0} entries, chunks of {chunkEntries}", chunkEntries);
    }

    /// <summary>The child's part: applies, and dies.</summary>
    public static void FillAndDie(string path, int chunkEntries)
    {
        using var load = new RandomLoad(Entries, chunkEntries);
        var machine = LsmStateMachine.Open(path);
        var results = new ApplyResult[chunkEntries];
        for (var i = 0; i < load.Chunks; i++) machine.ApplyChunk(load.Chunk(i), results);
        Process.GetCurrentProcess().Kill();
    }

    private static void Measure(string name, int chunkEntries)
    {
        var milliseconds = new List<double>();
        for (var i = 0; i <= Opens; i++)
        {
            var path = Directory.CreateTempSubdirectory("varve-recovery-").FullName;
            try
            {
                using (var child = Process.Start(
                    Environment.ProcessPath!, ["--quick", FillPart, path, chunkEntries.ToString()]))
                    child.WaitForExit();
                GC.Collect();
                var start = Stopwatch.GetTimestamp();
                using var machine = LsmStateMachine.Open(path);
                milliseconds.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
                if (machine.LastApplied.Index != Entries)
                    throw new InvalidOperationException($"{machine.LastApplied} recovered");
            }
            finally
            {
                Directory.Delete(path, recursive: true);
            }
        }

        Console.WriteLine(
            $"{name,-35} first {milliseconds[0]:N0} ms, then "
                + $"{string.Join(", ", milliseconds.Skip(1).Order().Select(ms => $"{ms:N0}"))} ms");
    }
}
