using System.Diagnostics;

namespace Varve.Cli.Demo;

/// <summary>
/// Kills a process that applies, several times at different places of the log, and looks at what it leaves. What must hold
/// each time: every chunk that was acknowledged is there, and the state is that of exactly one applied index.
/// </summary>
internal sealed class CrashTrials(DemoDirectory directory, DemoReport report, List<SampleChunk> chunks, KnownAnswers known)
{
    /// <summary>Kill after this many acknowledged chunks of the log.</summary>
    private static readonly int[] KillAfterChunks = [50, 100, 150];

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        report.Step("Kill a process in mid-apply (SIGKILL), recover, go on");
        var data = directory.Below("killed");
        // An uninterrupted run that follows, index by index, to compare with.
        await using var reference = LsmStateMachine.Open(directory.Below("reference"), DemoRun.Options);
        var followed = new ChunkApplier(reference);
        foreach (var killAfter in KillAfterChunks)
        {
            var acknowledged = await KillAsync(data, chunks[killAfter - 1].LastIndex, cancellationToken);
            var clock = Stopwatch.StartNew();
            await using var engine = LsmStateMachine.Open(data, ApplyChild.Options);
            var opened = clock.Elapsed;
            var recovered = engine.LastApplied;
            if (recovered.Index < acknowledged)
                throw new MismatchException($"index {acknowledged} was acknowledged, but only {recovered.Index} is there after the kill");

            foreach (var chunk in chunks.Where(chunk => chunk.LastIndex > reference.LastApplied.Index && chunk.LastIndex <= recovered.Index))
                followed.Apply(chunk.Bytes.Span);
            DemoReport.Require("the recovered index ends a chunk", reference.LastApplied, recovered);
            DemoReport.Require($"state recovered at index {recovered.Index}", StateDigest.Of(reference), StateDigest.Of(engine));
            DemoReport.Require($"live keys recovered at index {recovered.Index}", reference.Count, engine.Count);
            report.Fact($"ok: acknowledged up to {acknowledged}, recovered at exactly {recovered.Index}, state equals an unbroken run's");
            report.Figure($"recovery at index {recovered.Index}", engine.GetStatistics().RecoveredEntries, "entries", opened);
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

    /// <summary>Runs a child until it acknowledged <paramref name="killAtIndex"/>, kills it while it works on what follows.</summary>
    /// <returns>The last index acknowledged.</returns>
    private static async Task<ulong> KillAsync(string data, ulong killAtIndex, CancellationToken cancellationToken)
    {
        using var child = ApplyChild.Start(data);
        try
        {
            var acknowledged = 0UL;
            while (acknowledged < killAtIndex)
            {
                acknowledged = await child.ReadAcknowledgementAsync(cancellationToken)
                    ?? throw new MismatchException($"the child process ended by itself after index {acknowledged}");
                if (acknowledged < killAtIndex) await child.AllowOneMoreAsync(cancellationToken);
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
