using FsCheck;
using FsCheck.Fluent;

namespace Varve.Tests.Conformance.Traces;

/// <summary>Random traces: mostly applies and reads, now and then what rewrites everything.</summary>
internal static class TraceGenerator
{
    public const int StepsATrace = 120;

    public static Arbitrary<Trace> Traces()
    {
        var number = Gen.Choose(0, int.MaxValue - 1);
        Gen<Operation> Of(Step step, Gen<int> b) =>
            number.SelectMany(a => b.SelectMany(second => number.Select(c => new Operation(step, a, second, c))));
        (int, Gen<Operation>) Often(int weight, Step step) => (weight, Of(step, number));
        var operation = Gen.Frequency(
            (40, Of(Step.Apply, Gen.Choose(-40, 40))), (6, Of(Step.ApplyBad, Gen.Choose(2, 10))),
            Often(6, Step.Advance), Often(1, Step.StepBack), Often(10, Step.Read), Often(10, Step.Scan),
            Often(4, Step.EntryTerm),
            Often(3, Step.Reopen), Often(1, Step.StopStart), Often(3, Step.Flush), Often(2, Step.Compact),
            Often(1, Step.Snapshot),
            Often(1, Step.InstallSelf), Often(1, Step.InstallOther), Often(1, Step.Reset), Often(3, Step.Cleanup),
            Often(1, Step.MovePosition));
        var traces = Gen.Choose(1, 2 * StepsATrace).SelectMany(length => Gen.ArrayOf(operation, length))
            .Select(operations => new Trace(operations));
        return Arb.From(traces, trace => trace.Shrink());
    }
}
