using Varve.Tests.Conformance.Traces;

namespace Varve.Tests.Conformance.Regressions;

/// <summary>Traces that once failed, as the model tests printed them, and one that has a step of each kind.</summary>
public abstract class RegressionTraces<TFactory> where TFactory : IMachineFactory, new()
{
    private static Task PlayAsync(EngineOptions options, params Operation[] operations) =>
        TraceRun.PlayAsync(new TFactory(), options, new Trace(operations));

    [Theory]
    [InlineData(LeaseClock.Local)]
    [InlineData(LeaseClock.Log)]
    public Task OneStepOfEachKind(LeaseClock clock) => PlayAsync(new EngineOptions { LeaseClock = clock },
        new(Step.Apply, 1, 40, 1), new(Step.Advance, 3), new(Step.Apply, 2, 40, 4), new(Step.ApplyBad, 3, 9, 6),
        new(Step.ApplyBad, 4, 9, 1), new(Step.StepBack, 5_000), new(Step.Read, 5), new(Step.Scan, 6, 7, 9),
        new(Step.EntryTerm, 7), new(Step.Flush, 0), new(Step.Apply, 8, 40, 2), new(Step.Snapshot, 20),
        new(Step.InstallOther, 10), new(Step.Reopen), new(Step.Compact), new(Step.Cleanup), new(Step.StopStart),
        new(Step.InstallSelf, 0), new(Step.Apply, 9, 20, 0), new(Step.MovePosition, 3, 1), new(Step.Apply, 10, 20, 3),
        new(Step.Reset), new(Step.Apply, 11, 40, 1), new(Step.Scan, 0, 1, 2), new(Step.Reopen), new(Step.Read, 12));
}

public sealed class ModelPassesRegressionTraces : RegressionTraces<DictionaryMachines>;

public sealed class EnginePassesRegressionTraces : RegressionTraces<EngineMachines>;

public sealed class TinyEnginePassesRegressionTraces : RegressionTraces<TinyEngineMachines>;
