using FsCheck;
using FsCheck.Fluent;
using Microsoft.FSharp.Core;
using Xunit.Abstractions;

namespace Varve.Tests.Conformance.Traces;

/// <summary>
/// Random traces give the answers of the model. <c>VARVE_MODEL_OPS</c> says how many steps a machine takes in all,
/// <c>VARVE_MODEL_SEED</c> replays a run; a failure prints its seed and its smallest trace, ready for RegressionTraces.
/// </summary>
public abstract class ModelTests<TFactory>(ITestOutputHelper output) where TFactory : IMachineFactory, new()
{
    [Theory]
    [InlineData(LeaseClock.Local, LogGapPolicy.Reject)]
    [InlineData(LeaseClock.Log, LogGapPolicy.Reject)]
    [InlineData(LeaseClock.Local, LogGapPolicy.Allow)]
    [InlineData(LeaseClock.Log, LogGapPolicy.Allow)]
    public void AnyTraceMatchesModel(LeaseClock clock, LogGapPolicy gaps)
    {
        var steps = Setting.Of("VARVE_MODEL_OPS", 20_000) / 8 / Thinned;
        var seed = Setting.Seed("VARVE_MODEL_SEED", output);
        var invalid =
            (clock == LeaseClock.Log) == (gaps == LogGapPolicy.Allow) ? InvalidCommands.Throw : InvalidCommands.Refuse;
        var options = Options with { LeaseClock = clock, LogGaps = gaps, InvalidCommands = invalid };
        var config = Config.QuickThrowOnFailure
            .WithMaxTest(Math.Max(1, steps / TraceGenerator.StepsATrace))
            .WithQuietOnSuccess(true)
            .WithReplay(FSharpOption<Replay>.Some(new Replay(new Rnd(seed), FSharpOption<int>.None)));
        try
        {
            Check.One(config, Prop.ForAll(
                TraceGenerator.Traces(),
                trace => TraceRun.PlayAsync(new TFactory(), options, trace).GetAwaiter().GetResult()));
        }
        catch (Exception failure)
        {
            Assert.Fail($"VARVE_MODEL_SEED={seed} {clock} {gaps}\n{failure.Message}");
        }
    }

    protected virtual EngineOptions Options => new();

    /// <summary>This machine takes this many times fewer steps than the others.</summary>
    protected virtual int Thinned => 1;
}

public sealed class ModelAgreesWithItself(ITestOutputHelper output) : ModelTests<DictionaryMachines>(output);

public sealed class EngineAgreesWithModel(ITestOutputHelper output) : ModelTests<EngineMachines>(output)
{
    protected override EngineOptions Options => new() { MemtableBytes = 4 << 20 };
}

public sealed class NtfsLikeEngineAgreesWithModel(ITestOutputHelper output) : ModelTests<NtfsLikeMachines>(output)
{
    protected override int Thinned => 8;
}

public sealed class TinyEngineAgreesWithModel(ITestOutputHelper output) : ModelTests<TinyEngineMachines>(output)
{
    protected override EngineOptions Options => new() { MemtableBytes = 64 << 10 };
}
