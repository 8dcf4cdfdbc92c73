using System.Diagnostics;
using Varve.Cli.Data;
using Varve.Cli.Sample;
using Varve.Cli.Text;

namespace Varve.Cli.Demo;

/// <summary>
/// Kills an applying process several times, at different positions of the log, and recovers its database. Each time,
/// every acknowledged chunk must be there, and the state must be that of exactly one applied index.
/// </summary>
internal sealed class CrashTrials(
    DemoDirectory directory, DemoReport report, List<SampleChunk> chunks, KnownAnswers known)
{
    private const int Trials = 3;

    /// <summary>
    /// Number of chunks that the child applies at the parent's pace; then those that it gets at once, during which it
    /// is killed.
    /// </summary>
    private const int ChunksPaced = 16, ChunksInBurst = 24;

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        report.Step("Kill a process in mid-apply (SIGKILL), recover, continue");
        var data = directory.Below("killed");
        // The reference applies the same chunks without interruption.
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

    // Applies the log from its start: duplicates get their first outcome.
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

    /// <summary>Runs a child and kills it within the burst.</summary>
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
            // Indexes in the pipe were acknowledged before the kill.
            while (await child.ReadAcknowledgementAsync(cancellationToken) is { } late) acknowledged = late;
            return acknowledged;
        }
        finally
        {
            child.Kill();
        }
    }
}
