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
    private const int StepsATrace = 120;

    [Theory]
    [InlineData(LeaseClock.Local, LogGapPolicy.Reject)]
    [InlineData(LeaseClock.Log, LogGapPolicy.Reject)]
    [InlineData(LeaseClock.Local, LogGapPolicy.Allow)]
    [InlineData(LeaseClock.Log, LogGapPolicy.Allow)]
    public void AnyTraceGivesTheAnswersOfTheModel(LeaseClock clock, LogGapPolicy gaps)
    {
        int steps = Setting.Of("VARVE_MODEL_OPS", 20_000) / 8;
        ulong seed = Setting.Seed("VARVE_MODEL_SEED", output);
        var options = Options with { LeaseClock = clock, LogGaps = gaps };
        var config = Config.QuickThrowOnFailure
            .WithMaxTest(Math.Max(1, steps / StepsATrace))
            .WithQuietOnSuccess(true)
            .WithReplay(FSharpOption<Replay>.Some(new Replay(new Rnd(seed), FSharpOption<int>.None)));
        try
        {
            Check.One(config, Prop.ForAll(Traces(), trace => TraceRun.PlayAsync(new TFactory(), options, trace).GetAwaiter().GetResult()));
        }
        catch (Exception failure)
        {
            Assert.Fail($"VARVE_MODEL_SEED={seed} {clock} {gaps}\n{failure.Message}");
        }
    }

    protected virtual EngineOptions Options => new();

    private static Arbitrary<Trace> Traces()
    {
        var number = Gen.Choose(0, int.MaxValue - 1);
        Gen<Operation> Of(Step step, Gen<int> b) => number.SelectMany(a => b.SelectMany(second => number.Select(c => new Operation(step, a, second, c))));
        (int, Gen<Operation>) Often(int weight, Step step) => (weight, Of(step, number));
        var operation = Gen.Frequency(
            (40, Of(Step.Apply, Gen.Choose(0, 40))), (6, Of(Step.ApplyBad, Gen.Choose(2, 10))),
            Often(6, Step.Advance), Often(1, Step.StepBack), Often(10, Step.Read), Often(10, Step.Scan), Often(4, Step.EntryTerm),
            Often(3, Step.Reopen), Often(1, Step.StopStart), Often(3, Step.Flush), Often(2, Step.Compact), Often(1, Step.Snapshot),
            Often(1, Step.InstallSelf), Often(1, Step.InstallOther), Often(1, Step.Reset), Often(3, Step.Cleanup), Often(1, Step.MovePosition));
        var traces = Gen.Choose(1, 2 * StepsATrace).SelectMany(length => Gen.ArrayOf(operation, length)).Select(operations => new Trace(operations));
        return Arb.From(traces, trace => trace.Shrink());
    }
}

public sealed class TheModelAgreesWithItself(ITestOutputHelper output) : ModelTests<DictionaryMachines>(output);

public sealed class TheEngineAgreesWithTheModel(ITestOutputHelper output) : ModelTests<EngineMachines>(output)
{
    protected override EngineOptions Options => new() { MemtableBytes = 4 << 20 };
}

public sealed class TheTinyEngineAgreesWithTheModel(ITestOutputHelper output) : ModelTests<TinyEngineMachines>(output)
{
    protected override EngineOptions Options => new() { MemtableBytes = 64 << 10 };
}
