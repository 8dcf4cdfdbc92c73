using System.Diagnostics;
using Varve.Cli.Data;
using Varve.Cli.Sample;

namespace Varve.Cli.Demo;

/// <summary>
/// Checks the known states within the log. While the log is applied, cuts a snapshot at exactly each mark, inside a
/// chunk and some chunks behind the last applied one, and installs it into a new directory.
/// </summary>
internal sealed class MarkTrials(
    DemoDirectory directory, DemoReport report, List<SampleChunk> chunks, KnownAnswers known)
{
    /// <summary>Distance between a mark's chunk and the cut of its snapshot, in chunks.</summary>
    private const int ChunksBehind = 2;

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        report.Step("Snapshots at exactly the known indexes, in mid-chunk");
        await using var engine = LsmStateMachine.Open(directory.Below("marks"), DemoRun.Options);
        var applier = new ChunkApplier(engine);
        var next = 0;
        var clock = new Stopwatch();
        foreach (var mark in known.Marks)
        {
            var until = chunks.FindIndex(chunk => chunk.LastIndex >= mark.At.Index) + 1 + ChunksBehind;
            for (; next < Math.Min(until, chunks.Count); next++) applier.Apply(chunks[next].Bytes.Span);

            var path = directory.Below($"mark-{mark.At.Index}.snapshot");
            clock.Start();
            var checksum = await engine.GenerateSnapshotDataAsync(path, mark.At, cancellationToken);
            clock.Stop();
            await using var installed = LsmStateMachine.Open(directory.Below($"mark-{mark.At.Index}"), DemoRun.Options);
            await installed.ApplySnapshotFromFileAsync(
                new SnapshotMetadata(mark.At, checksum), path, cancellationToken);
            Verify(mark, installed);
            report.Fact($"ok: index {mark.At.Index}, cut at applied index {engine.LastApplied.Index}: {mark.All}");
        }

        report.Figure("snapshots at the marks", known.Marks.Count, "snapshots", clock.Elapsed);
    }

    private static void Verify(Mark mark, LsmStateMachine installed)
    {
        DemoReport.Require($"last applied of the snapshot at {mark.At.Index}", mark.At, installed.LastApplied);
        DemoReport.Require($"live keys at {mark.At.Index}", mark.All.Count, installed.Count);
        DemoReport.Require($"state at {mark.At.Index}", mark.All, StateDigest.Of(installed));
        DemoReport.Require(
            $"keys with pkg/lib at {mark.At.Index}", mark.Libraries,
            StateDigest.Of(installed, KnownAnswers.LibraryPrefix));
    }
}
