using BenchmarkDotNet.Attributes;
using Varve.Epochs;

namespace Varve.Bench.Micro.Versions;

/// <summary>What a reader pays to pin a version and to let go, and what a reclaimer pays to find out what is safe.</summary>
[MemoryDiagnoser]
public class PinBench
{
    private readonly EpochTable pins = new();

    [Benchmark]
    public void EnterAndExit()
    {
        pins.Enter();
        pins.Exit();
    }

    [Benchmark]
    public void EnterAndExitNested()
    {
        pins.Enter();
        pins.Enter();
        pins.Exit();
        pins.Exit();
    }

    [Benchmark]
    public long SafeBelow() => pins.SafeBelow();
}
