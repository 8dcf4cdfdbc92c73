using System.Diagnostics;

namespace Varve.Bench.Micro.Background;

/// <summary>A thread that gets random keys among those already applied, one after the other, and times each.</summary>
internal sealed class ReaderBeside : IDisposable
{
    private const int SamplesMax = 1 << 24;
    private readonly LsmStateMachine _machine;
    private readonly Thread _thread;
    private readonly long[] _ticks = new long[SamplesMax];
    private long _applied;
    private long _count;
    private bool _stopping;
    private double _seconds;

    public ReaderBeside(LsmStateMachine machine)
    {
        _machine = machine;
        _thread = new Thread(Read) { IsBackground = true, Name = "reader" };
        _thread.Start();
    }

    /// <summary>Says how many entries may be read.</summary>
    public void Applied(long entries) => Volatile.Write(ref _applied, entries);

    public void Stop()
    {
        Volatile.Write(ref _stopping, true);
        _thread.Join();
    }

    public void Report()
    {
        Console.WriteLine($"reader            {_count / _seconds / 1000,10:N0} k/s");
        BackgroundQuick.PrintLatencies("get", _ticks[..(int)Math.Min(_count, SamplesMax)]);
    }

    public void Dispose() => Stop();

    private void Read()
    {
        var random = new Random(1);
        Span<byte> key = stackalloc byte[RandomLoad.KeyBytes];
        Span<byte> value = stackalloc byte[RandomLoad.ValueBytes];
        while (Volatile.Read(ref _applied) == 0)
        {
            if (Volatile.Read(ref _stopping)) return;
            Thread.Yield();
        }

        var begun = Stopwatch.GetTimestamp();
        while (!Volatile.Read(ref _stopping))
        {
            RandomLoad.WriteKey(random.NextInt64(Volatile.Read(ref _applied)), key);
            var start = Stopwatch.GetTimestamp();
            if (_machine.Read(key, value) != RandomLoad.ValueBytes)
                throw new InvalidOperationException("a present key was not found");
            _ticks[_count++ & (SamplesMax - 1)] = Stopwatch.GetTimestamp() - start;
        }

        _seconds = Stopwatch.GetElapsedTime(begun).TotalSeconds;
    }
}
