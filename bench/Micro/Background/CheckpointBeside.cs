using System.Diagnostics;

namespace Varve.Bench.Micro.Background;

/// <summary>A thread that makes one checkpoint at the last applied entry while the applier continues.</summary>
internal sealed class CheckpointBeside(LsmStateMachine machine, string directory)
{
    private Thread? _thread;
    private long _from;
    private long _to;
    private Exception? _failure;

    public void Start()
    {
        var before = machine.GetStatistics();
        _from = before.ChunksApplied;
        _thread = new Thread(() =>
        {
            var start = Stopwatch.GetTimestamp();
            try
            {
                machine.GenerateSnapshotDataAsync(
                    Path.Combine(directory, "checkpoint"), machine.LastApplied).GetAwaiter().GetResult();
            }
            catch (Exception e)
            {
                _failure = e;
            }

            Seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
            _to = machine.GetStatistics().ChunksApplied;
        })
        { IsBackground = true, Name = "checkpoint" };
        _thread.Start();
    }

    private double Seconds { get; set; }

    /// <summary>Waits for it, prints how long it took and the longest chunk meanwhile, and removes it.</summary>
    public void Report(long[] chunks)
    {
        _thread!.Join();
        if (_failure is not null) Console.WriteLine($"checkpoint        FAILED: {_failure.Message}");
        var meanwhile = chunks[(int)_from..(int)Math.Max(_from + 1, Math.Min(_to, chunks.Length))];
        Console.WriteLine($"checkpoint        {Seconds * 1000,10:N0} ms, {meanwhile.Length:N0} chunks meanwhile");
        BackgroundQuick.PrintLatencies("  chunk meanwhile", meanwhile);
        if (Directory.Exists(Path.Combine(directory, "checkpoint")))
            Directory.Delete(Path.Combine(directory, "checkpoint"), recursive: true);
    }
}
