using BenchmarkDotNet.Attributes;
using Varve.Epochs;

namespace Varve.Bench.Micro.Versions;

/// <summary>The cost of a pin and unpin for a reader, and of finding the safe epoch for a reclaimer.</summary>
[MemoryDiagnoser]
public class PinBench
{
    private readonly EpochTable _pins = new();

    [Benchmark]
    public void EnterAndExit()
    {
        _pins.Enter();
        _pins.Exit();
    }

    [Benchmark]
    public void EnterAndExitNested()
    {
        _pins.Enter();
        _pins.Enter();
        _pins.Exit();
        _pins.Exit();
    }

    [Benchmark]
    public long SafeBelow() => _pins.SafeBelow();
}
