using System.Buffers;
using System.Diagnostics;
using System.Security.Cryptography;
using Varve.Format;

namespace Varve.Bench.Micro.Background;

/// <summary>
/// Measures the close of a database of 1 KiB entries and its open up to the first get, as the load has left it and
/// settled.
/// </summary>
internal static class OpenQuick
{
    private const int ValueBytes = 1_008;
    private const int ChunkEntries = 100;
    private const int Opens = 7;

    public static void Run(long mebibytes)
    {
        var directory = Directory.CreateTempSubdirectory("varve-open-").FullName;
        try
        {
            using (var machine = LsmStateMachine.Open(directory))
            {
                Load(machine, mebibytes << 10);
                Close(machine);
            }

            Report(directory, "as loaded");
            using (var machine = LsmStateMachine.Open(directory))
            {
                machine.CompactAsync().GetAwaiter().GetResult();
                Close(machine);
            }

            Report(directory, "settled");
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    private static void Load(LsmStateMachine machine, long entries)
    {
        var chunk = new ArrayBufferWriter<byte>(ChunkEntries * 1_100);
        var results = new ApplyResult[ChunkEntries];
        Span<byte> key = stackalloc byte[RandomLoad.KeyBytes];
        var value = RandomNumberGenerator.GetBytes(ValueBytes);
        for (var i = 0L; i < entries; i++)
        {
            RandomLoad.WriteKey(i, key);
            WireWriter.WriteInsert(chunk, (ulong)i + 1, 1, key, value);
            if ((i + 1) % ChunkEntries != 0 && i + 1 != entries) continue;
            machine.ApplyChunk(chunk.WrittenSpan, results);
            chunk.ResetWrittenCount();
        }
    }

    private static void Close(LsmStateMachine machine)
    {
        var start = Stopwatch.GetTimestamp();
        machine.CloseStorage();
        Console.WriteLine($"close             {Stopwatch.GetElapsedTime(start).TotalMilliseconds:N1} ms");
    }

    private static void Report(string directory, string what)
    {
        var milliseconds = new double[Opens];
        var key = new byte[RandomLoad.KeyBytes];
        RandomLoad.WriteKey(0, key);
        for (var i = 0; i < Opens; i++)
        {
            var start = Stopwatch.GetTimestamp();
            using var machine = LsmStateMachine.Open(directory);
            using (var view = machine.OpenView())
                if (!view.TryGet(key, out _)) throw new InvalidOperationException("the first key is not there");
            milliseconds[i] = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        }

        var tables = Directory.GetFiles(directory, "*.vtab");
        Console.WriteLine(
            $"open, {what,-11} {string.Join(", ", milliseconds.Select(ms => $"{ms:N1}"))} ms; {tables.Length} tables "
                + $"of {tables.Sum(path => new FileInfo(path).Length):N0} bytes");
    }
}
