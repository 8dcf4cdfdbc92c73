using System.Buffers.Binary;
using System.Diagnostics;
using Varve.Cli.Json;
using Varve.Cli.Text;

namespace Varve.Cli.Bench;

/// <summary>
/// Measures an engine from one thread. Keys are 16 bytes: a number whose bits are mixed, so that fill does not write
/// them in order. The seed is fixed, so each run does the same.
/// </summary>
internal sealed class BenchRun(LsmStateMachine engine, BenchSizes sizes, CancellationToken cancellationToken)
{
    private const int KeyBytes = 16;
    private const int Seed = 1;
    private const int ReportEvery = 64;

    private readonly Random _random = new(Seed);
    private readonly ApplyEntry[] _chunk = new ApplyEntry[sizes.ChunkEntries];
    private readonly ApplyResult[] _results = new ApplyResult[sizes.ChunkEntries];
    private readonly byte[] _read = new byte[sizes.ValueBytes];
    private readonly byte[] _key = new byte[KeyBytes];

    /// <summary>Writes every key once, in chunks.</summary>
    public BenchResult Fill()
    {
        var next = 0;
        return Measure("fill", (sizes.Keys + sizes.ChunkEntries - 1) / sizes.ChunkEntries, _ =>
        {
            var count = Math.Min(sizes.ChunkEntries, sizes.Keys - next);
            Apply(count, _ => next++);
            return (count, (long)count * (KeyBytes + sizes.ValueBytes));
        });
    }

    /// <summary>Reads random keys.</summary>
    public BenchResult Read() => Measure("read", sizes.Calls, _ => ReadOne());

    /// <summary>Scans forward from random keys.</summary>
    public BenchResult Scan() => Measure("scan", sizes.Calls, _ =>
    {
        SetKey(_key, _random.Next(sizes.Keys));
        using var view = engine.OpenView();
        var (entries, bytes) = (0, 0L);
        foreach (var entry in view.ScanRange(_key, []))
        {
            bytes += entry.Key.Length + entry.Value.Length;
            if (++entries == sizes.ScanEntries) break;
        }

        return (entries, bytes);
    });

    /// <summary>Reads random keys, and overwrites a random one at every tenth call.</summary>
    public BenchResult Mixed() => Measure("mixed", sizes.Calls, call =>
    {
        if (call % 10 != 9) return ReadOne();
        Apply(1, _ => _random.Next(sizes.Keys));
        return (1, KeyBytes + sizes.ValueBytes);
    });

    private (int Entries, long Bytes) ReadOne()
    {
        SetKey(_key, _random.Next(sizes.Keys));
        if (engine.Read(_key, _read) < 0) throw new InvalidOperationException("a key that fill wrote is absent");
        return (1, KeyBytes + sizes.ValueBytes);
    }

    private void Apply(int count, Func<int, int> number)
    {
        var index = engine.LastApplied.Index;
        for (var i = 0; i < count; i++)
        {
            var key = new byte[KeyBytes];
            SetKey(key, number(i));
            var value = new byte[sizes.ValueBytes];
            _random.NextBytes(value);
            _chunk[i] = new ApplyEntry(++index, 1, Command.Insert(key, value));
        }

        engine.ApplyChunk(_chunk.AsSpan(0, count), _results);
    }

    private BenchResult Measure(string workload, int calls, Func<int, (int Entries, long Bytes)> call)
    {
        using var progress = new LongWork(workload, "calls");
        var latencies = new Latencies(calls);
        var (entries, bytes) = (0L, 0L);
        var clock = Stopwatch.StartNew();
        for (var i = 0; i < calls; i++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var start = Stopwatch.GetTimestamp();
            var done = call(i);
            latencies.Add(Stopwatch.GetTimestamp() - start);
            (entries, bytes) = (entries + done.Entries, bytes + done.Bytes);
            if (i % ReportEvery == 0) progress.Report(bytes, i / (double)calls, i);
        }

        var seconds = Math.Max(clock.Elapsed.TotalSeconds, 1e-9);
        return new BenchResult(
            workload, calls, entries, seconds, entries / seconds, bytes / seconds, latencies.Percentile(0.5),
            latencies.Percentile(0.9), latencies.Percentile(0.99), latencies.Percentile(0.999),
            latencies.Percentile(1));
    }

    // An odd factor is a bijection of 64-bit numbers: keys stay distinct.
    private static void SetKey(Span<byte> key, int number)
    {
        BinaryPrimitives.WriteUInt64BigEndian(key, (ulong)number * 0x9E37_79B9_7F4A_7C15);
        BinaryPrimitives.WriteUInt64BigEndian(key[8..], (ulong)number);
    }
}
