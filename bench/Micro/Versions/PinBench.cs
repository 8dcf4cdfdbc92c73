using BenchmarkDotNet.Attributes;
using Varve.Epochs;

namespace Varve.Bench.Micro.Versions;

/// <summary>
/// What a reader pays to pin a version and to let go, and what a reclaimer pays to find out what is safe.
/// </summary>
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
