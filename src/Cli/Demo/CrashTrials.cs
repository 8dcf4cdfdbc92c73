using System.Diagnostics;
using Varve.Cli.Data;
using Varve.Cli.Sample;
using Varve.Cli.Text;

namespace Varve.Cli.Demo;

/// <summary>
/// Kills a process that applies, several times at different places of the log, and looks at what it leaves. What must
/// hold each time: every chunk that was acknowledged is there, and the state is that of exactly one applied index.
/// </summary>
internal sealed class CrashTrials(
    DemoDirectory directory, DemoReport report, List<SampleChunk> chunks, KnownAnswers known)
{
    private const int Trials = 3;

    /// <summary>
    /// Chunks that the child works off at its parent's pace, then those it gets at once, and dies in the middle of.
    /// </summary>
    private const int ChunksPaced = 16, ChunksInBurst = 24;

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        report.Step("Kill a process in mid-apply (SIGKILL), recover, go on");
        var data = directory.Below("killed");
        // An uninterrupted run that follows, index by index, to compare with.
        await using var reference = LsmStateMachine.Open(directory.Below("reference"), DemoRun.Options);
        var followed = new ChunkApplier(reference);
        for (var trial = 0; trial < Trials; trial++)
        {
            var acknowledged = await KillAsync(data, cancellationToken);
            var clock = Stopwatch.StartNew();
            await using var engine = LsmStateMachine.Open(data, ApplyChild.Options);
            var opened = clock.Elapsed;
            var recovered = engine.LastApplied;
            if (recovered.Index < acknowledged)
                throw new MismatchException(
                    $"index {acknowledged} was acknowledged, but only {recovered.Index} is there after the kill");

            foreach (var chunk in chunks.Where(
                chunk => chunk.LastIndex > reference.LastApplied.Index && chunk.LastIndex <= recovered.Index))
                followed.Apply(chunk.Bytes.Span);
            DemoReport.Require("the recovered index ends a chunk", reference.LastApplied, recovered);
            DemoReport.Require(
                $"state recovered at index {recovered.Index}", StateDigest.Of(reference), StateDigest.Of(engine));
            DemoReport.Require($"live keys recovered at index {recovered.Index}", reference.Count, engine.Count);
            report.Fact(
                $"ok: acknowledged up to {acknowledged}, recovered at exactly "
                    + $"{recovered.Index}, state equals an unbroken run's");
            report.Figure(
                $"recovery at index {recovered.Index}", engine.GetStatistics().RecoveredEntries, "entries", opened);
        }

        await FinishAsync(data);
    }

    // The log from its start: what was applied before is answered as it was then, the rest is applied.
    private async Task FinishAsync(string data)
    {
        await using var engine = LsmStateMachine.Open(data, ApplyChild.Options);
        var applier = new ChunkApplier(engine);
        var outcomes = new OutcomeBits();
        foreach (var chunk in chunks) outcomes.Add(applier.Apply(chunk.Bytes.Span));
        report.Check("outcomes, duplicates answered as the first time", known.ResultBitsSha256, outcomes.Sha256());
        report.Check("last applied", known.LastApplied, engine.LastApplied);
        report.Check("state", known.Last.All, StateDigest.Of(engine));
    }

    /// <summary>Runs a child until it is well inside the burst, and kills it there.</summary>
    /// <returns>The last index acknowledged.</returns>
    private static async Task<ulong> KillAsync(string data, CancellationToken cancellationToken)
    {
        using var child = ApplyChild.Start(data);
        try
        {
            var acknowledged = 0UL;
            for (var chunk = 0; chunk < ChunksPaced + ApplyChild.ChunksAhead + 2; chunk++)
            {
                acknowledged = await child.ReadAcknowledgementAsync(cancellationToken)
                    ?? throw new MismatchException($"the child process ended by itself after index {acknowledged}");
                if (chunk < ChunksPaced)
                    await child.AllowAsync(chunk < ChunksPaced - 1 ? 1 : ChunksInBurst, cancellationToken);
            }

            child.Kill();
            // What it had written to the pipe before it died counts.
            while (await child.ReadAcknowledgementAsync(cancellationToken) is { } late) acknowledged = late;
            return acknowledged;
        }
        finally
        {
            child.Kill();
        }
    }
}
