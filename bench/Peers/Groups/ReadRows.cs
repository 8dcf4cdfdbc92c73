using System.Diagnostics;
using Varve.Bench.Peers.Engines;

namespace Varve.Bench.Peers;

/// <summary>
/// The read rows of one database of random keys, in one of its states: "" is settled, "-unsettled" is as the fill has
/// left it.
/// </summary>
internal sealed class ReadRows(RunContext context, IBenchEngine engine, EntrySource source, string state)
{
    private const int GetsMin = 60_000;
    private const int GetsMax = 1_000_000;
    private static readonly TimeSpan Least = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan Warm = TimeSpan.FromSeconds(1);

    private readonly Reads _reads = new(engine.OpenReader(), source);
    private readonly int _gets = (int)Math.Clamp(source.Entries / 5, GetsMin, GetsMax);

    public static IReadOnlyList<string> Names { get; } = [
        "get-present", "get-absent", "get-2-threads", "get-multi", "scan-prefix", "scan-full"];

    public void Run()
    {
        if (!Names.Any(n => context.Wants(n + state))) return;
        _reads.Verify(10_000);
        var warm = ReadKeys.Present(source, _gets, 2);
        if (state.Length == 0 && engine.IsOrdered) _reads.All();   // caches filled, mappings faulted in
        _reads.Present(warm);

        var present = ReadKeys.Present(source, _gets, 1);
        if (Measure("get-present", () => _reads.Present(present)) is { } measured)
        {
            if (state.Length == 0) OtherWays(measured, present);
            engine.Describe(measured.Extra);
        }

        var absent = ReadKeys.Absent(source, _gets, 1);
        Measure("get-absent", () => _reads.Absent(absent));
        if (context.Wants("get-2-threads" + state)) TwoThreads(present, warm);
        Measure("get-multi", () => _reads.Multi(present));
        if (engine.IsOrdered)
        {
            Measure("scan-prefix", () => _reads.Prefixes(_gets / RandomKeys.EntriesPerPrefix));
            Measure("scan-full", _reads.All);
        }

        _reads.Dispose();
    }

    /// <summary>Repeats until there is enough time to measure: a scan of a small database takes milliseconds.</summary>
    public static long Repeated(Func<long> work)
    {
        long operations = 0;
        var start = Stopwatch.GetTimestamp();
        do operations += work();
        while (Stopwatch.GetElapsedTime(start) < Least);
        return operations;
    }

    /// <summary>
    /// A row, if it is wanted. Its work is first done for a second: what the runtime compiles in the background goes
    /// on for that long.
    /// </summary>
    private Measurement? Measure(string row, Func<long> work)
    {
        if (!context.Wants(row + state)) return null;
        var start = Stopwatch.GetTimestamp();
        do work();
        while (Stopwatch.GetElapsedTime(start) < Warm);
        return context.Measure(row + state, () => Repeated(work));
    }

    private void OtherWays(Measurement measurement, ReadKeys keys)
    {
        if (_reads.Reader is IPinnedReader pinned)
            measurement.Extra["pinned_us"] = 1e6 / Meter.Run("", () => _reads.Pinned(pinned, keys)).PerSecond;
        if (_reads.Reader is not IManagedReader managed) return;
        var other = Meter.Run("", () => _reads.Managed(managed, keys));
        measurement.Extra["managed_us"] = 1e6 / other.PerSecond;
        measurement.Extra["managed_allocated_bytes"] = other.AllocatedBytesPerOperation;
    }

    /// <summary>
    /// Both threads at once, and one alone right before and right after it, so that scaling compares neighbours in
    /// time.
    /// </summary>
    private void TwoThreads(ReadKeys keys, ReadKeys otherKeys)
    {
        var passes = 0;
        var before = Meter.Run("", () => Repeated(() =>
        {
            passes++;
            return _reads.Present(keys);
        }));
        using var ready = new Barrier(2);
        Exception? failure = null;
        var thread = new Thread(() =>
        {
            try
            {
                using var reads = new Reads(engine.OpenReader(), source);
                reads.Present(otherKeys);
                ready.SignalAndWait();   // warm
                ready.SignalAndWait();   // go
                for (var i = 0; i < passes; i++) reads.Present(otherKeys);
            }
            catch (Exception e)
            {
                failure = e;
                ready.RemoveParticipant();
            }
        });
        thread.Start();
        ready.SignalAndWait();
        var measurement = Meter.Run("", () =>
        {
            ready.SignalAndWait();
            for (var i = 0; i < passes; i++) _reads.Present(keys);
            thread.Join();
            return 2L * passes * keys.Count;
        });
        if (failure is not null) throw failure;
        var after = Meter.Run("", () => Repeated(() => _reads.Present(keys)));
        measurement.Extra["scaling"] = measurement.PerSecond / ((before.PerSecond + after.PerSecond) / 2);
        context.Add("get-2-threads" + state, measurement);
    }
}
