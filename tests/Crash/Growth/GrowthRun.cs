using System.Buffers.Binary;
using Varve.Tests.Shared;

namespace Varve.Tests.Crash.Growth;

/// <summary>
/// A small set of keys is overwritten at full speed, first without a view and then as long under one that stays open,
/// or that a thread left open when it ended. What the second half takes, in files and memory, is what the first takes
/// and what the view reads.
/// </summary>
internal static class GrowthRun
{
    private const int EntriesPerChunk = 100;
    private const int ValueBytes = 100;
    private const int LooksEvery = 200; // chunks

    /// <summary><c>growth --seconds N [--keys K] [--dead 1]</c></summary>
    public static Task RunAsync(Soak soak)
    {
        var half = TimeSpan.FromSeconds(soak.Number("seconds", 20) / 2.0);
        var keys = (ulong)soak.Number("keys", 10_000);
        var directory = Directory.CreateTempSubdirectory("varve-growth-").FullName;
        try
        {
            using var machine = LsmStateMachine.Open(directory);
            var usual = Overwrite(machine, directory, keys, half);
            soak.Write($"without a view: {usual}");
            var view = default(ReadView);
            if (soak.Number("dead", 0) == 0) view = machine.OpenView();
            else OpenAndDie(machine);
            var viewed = Overwrite(machine, directory, keys, half);
            var held = machine.GetStatistics().OldestViewBytes;
            soak.Write($"with one:       {viewed}, {held >> 20} MiB of it the view's");
            view.Dispose();
            if (viewed.FileBytes > (2 * usual.FileBytes) + held || viewed.MemoryBytes > (2 * usual.MemoryBytes) + held)
                throw new InvalidOperationException("an open view made files or memory grow");
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }

        return Task.CompletedTask;
    }

    private static Peak Overwrite(LsmStateMachine machine, string directory, ulong keys, TimeSpan time)
    {
        var results = new ApplyResult[EntriesPerChunk];
        var chunk = new ApplyEntry[EntriesPerChunk];
        var value = new byte[ValueBytes];
        var peak = default(Peak);
        var clock = System.Diagnostics.Stopwatch.StartNew();
        for (var chunks = 1; clock.Elapsed < time; chunks++)
        {
            var next = machine.LastApplied.Index + 1;
            for (var i = 0; i < chunk.Length; i++, next++)
            {
                var key = new byte[sizeof(ulong)];
                BinaryPrimitives.WriteUInt64BigEndian(key, next % keys);
                chunk[i] = new ApplyEntry(next, 1, Command.Insert(key, value));
            }

            machine.ApplyChunk(chunk, results);
            if (chunks % LooksEvery == 0) peak = peak.With(directory, machine);
        }

        return peak with { Entries = machine.LastApplied.Index };
    }

    private static void OpenAndDie(LsmStateMachine machine)
    {
        var thread = new Thread(() => _ = machine.OpenView().Revision);
        thread.Start();
        thread.Join();
    }

    private readonly record struct Peak(int Files, long FileBytes, long MemoryBytes, ulong Entries)
    {
        public Peak With(string directory, LsmStateMachine machine)
        {
            var (count, bytes) = (0, 0L);
            foreach (var file in new DirectoryInfo(directory).GetFiles())
            {
                count++;
                if (file.Exists) bytes += file.Length;
            }

            return new Peak(
                Math.Max(Files, count), Math.Max(FileBytes, bytes),
                Math.Max(MemoryBytes, machine.GetStatistics().MemoryBytes), 0);
        }

        public override string ToString() =>
            $"{Entries} entries in all, at most {Files} files, {FileBytes >> 20} MiB on disk, {MemoryBytes >> 20} MiB "
                + "of memtables";
    }
}
