using System.Diagnostics;
using Varve.Cli.Data;
using Varve.Cli.Sample;
using Varve.Cli.Text;

namespace Varve.Cli.Demo;

/// <summary>
/// The steps of <c>varve demo</c>, in order. An answer that differs from the known one throws
/// <see cref="MismatchException"/>.
/// </summary>
internal sealed class DemoRun(DemoDirectory directory, DemoReport report)
{
    private const int EntriesShown = 3;

    private readonly List<SampleChunk> _chunks = SampleLog.Load();
    private readonly KnownAnswers _known = SampleLog.LoadAnswers();

    /// <summary>
    /// Options of the demo's engines: leases by the log's clock, and memtables small enough that the sample is flushed.
    /// </summary>
    public static EngineOptions Options { get; } = new() { LeaseClock = LeaseClock.Log, MemtableBytes = 4 << 20 };

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var clock = Stopwatch.StartNew();
        await using (var engine = LsmStateMachine.Open(directory.Below("first"), Options))
        {
            Apply(engine);
            Read(engine);
            await new CrashTrials(directory, report, _chunks, _known).RunAsync(cancellationToken);
            await SnapshotAndInstallAsync(engine, cancellationToken);
        }

        await new MarkTrials(directory, report, _chunks, _known).RunAsync(cancellationToken);
        report.WriteFigures();
        report.Fact($"Every answer was the known one. The whole took {clock.Elapsed.TotalSeconds:F1} s.");
    }

    private void Apply(LsmStateMachine engine)
    {
        report.Step("Apply a real Raft log");
        var applier = new ChunkApplier(engine);
        var outcomes = new OutcomeBits();
        var bytes = _chunks.Sum(chunk => (long)chunk.Bytes.Length);
        var clock = Stopwatch.StartNew();
        foreach (var chunk in _chunks) outcomes.Add(applier.Apply(chunk.Bytes.Span));
        var elapsed = clock.Elapsed;

        report.Fact(
            $"{SizeText.Count(applier.Entries)} entries in {applier.Chunks} chunks, {SizeText.Format(bytes)}, at "
                + $"{SizeText.Format((long)(bytes / elapsed.TotalSeconds))}/s from a cold start");
        report.Check("entries applied", _known.Entries, applier.Entries);
        report.Check("entries that succeeded", _known.Succeeded, applier.Succeeded);
        report.Check("outcomes of all entries, sha256", _known.ResultBitsSha256, outcomes.Sha256());
        report.Check("last applied", _known.LastApplied, engine.LastApplied);
        report.Check("live keys", _known.Last.All.Count, engine.Count);
        report.Check("state", _known.Last.All, StateDigest.Of(engine));
        report.Figure("apply", applier.Entries, "entries", elapsed);
    }

    private void Read(LsmStateMachine engine)
    {
        report.Step("Read");
        var clock = Stopwatch.StartNew();
        var libraries = StateDigest.Of(engine, KnownAnswers.LibraryPrefix);
        report.Figure("prefix scan pkg/lib, hashed", libraries.Count, "entries", clock.Elapsed);
        report.Check("prefix scan pkg/lib", _known.Last.Libraries, libraries);

        var scan = engine.ScanPrefix(KnownAnswers.LibraryPrefix);
        foreach (var entry in scan.Entries.Take(EntriesShown))
            report.Fact($"{KeyText.Escape(entry.Key.Span)} = {KeyText.Escape(entry.Value.Span, 60)}");

        var all = engine.ScanPrefix(default).Entries;
        var buffer = new byte[all.Max(entry => entry.Value.Length)];
        clock.Restart();
        foreach (var entry in all)
        {
            var length = engine.Read(entry.Key.Span, buffer);
            if (length < 0 || !buffer.AsSpan(0, length).SequenceEqual(entry.Value.Span))
                throw new MismatchException($"get {KeyText.Escape(entry.Key.Span)}: not the value that the scan gave");
        }

        report.Figure("get, every live key", all.Count, "gets", clock.Elapsed);
        report.Fact($"ok: a get of each of the {SizeText.Count(all.Count)} live keys gives the scan's value");
    }

    private async Task SnapshotAndInstallAsync(LsmStateMachine engine, CancellationToken cancellationToken)
    {
        report.Step("Snapshot, and install into a second directory");
        var path = directory.Below("snapshot");
        var clock = Stopwatch.StartNew();
        var checksum = await engine.GenerateSnapshotDataAsync(path, engine.LastApplied, cancellationToken);
        report.Figure("snapshot", engine.Count, "keys", clock.Elapsed);
        report.Fact(
            $"snapshot at index {engine.LastApplied.Index}, checksum "
                + $"{Convert.ToHexStringLower(checksum.Span)[..16]}...");

        await using var second = LsmStateMachine.Open(directory.Below("second"), Options);
        clock.Restart();
        await second.ApplySnapshotFromFileAsync(
            new SnapshotMetadata(engine.LastApplied, checksum), path, cancellationToken);
        report.Figure("install, verified", second.Count, "keys", clock.Elapsed);
        report.Check("last applied of the second", engine.LastApplied, second.LastApplied);
        report.Check("state of the second equals the first", StateDigest.Of(engine), StateDigest.Of(second));
        report.Check("state of the second equals the known one", _known.Last.All, StateDigest.Of(second));
    }
}
