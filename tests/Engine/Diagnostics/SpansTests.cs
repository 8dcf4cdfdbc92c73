using System.Diagnostics;
using Varve.Tests.Engine.Recovery;
using Xunit;

namespace Varve.Tests.Engine.Diagnostics;

/// <summary>Flushes, compactions, snapshots, installs and recoveries are spans, with what they did.</summary>
public sealed class SpansTests : IDisposable
{
    private readonly Database _database = new();
    private readonly string _name = $"spans-{Guid.NewGuid()}";

    private EngineOptions Options => Database.Small with { Name = _name };

    public void Dispose() => _database.Dispose();

    [Fact]
    public async Task WorkIsShownWithItsTags()
    {
        using var spans = new SpansOf(_name);
        using var parent = new Activity("caller").Start();
        using (var engine = _database.Open(Options))
        {
            NumberedLog.ApplyUpTo(engine, 50);
            await engine.CompactAsync();
            NumberedLog.ApplyUpTo(engine, 80);
            await engine.CompactAsync();
            var (at, path) = (engine.LastApplied, Path.Combine(_database.Root, "snapshot"));
            var checksum = await engine.GenerateSnapshotDataAsync(path, at);
            await Assert.ThrowsAsync<SnapshotRejectedException>(
                () => engine.ApplySnapshotFromFileAsync(new SnapshotMetadata(at, new byte[32]), path));
            await engine.ApplySnapshotFromFileAsync(new SnapshotMetadata(at, checksum), path);
            var statistics = engine.GetStatistics();

            var recovery = spans.Await("varve.recovery");
            Assert.Equal(parent.SpanId, recovery.ParentSpanId);
            Assert.Equal(0L, recovery.GetTagItem("varve.rows"));

            var flush = spans.Await("varve.flush");
            Assert.Equal("bottom", flush.GetTagItem("varve.level"));
            Assert.Contains(flush.GetTagItem("varve.reason"), new object[] { "due", "requested" });
            Assert.Equal(50L, flush.GetTagItem("varve.index"));
            Assert.True((long)flush.GetTagItem("varve.bytes")! > 0);
            Assert.True((long)flush.GetTagItem("varve.rows")! > 0);
            Assert.Equal(default, flush.ParentSpanId);
            Assert.Equal(ActivityStatusCode.Unset, flush.Status);
            Assert.True(flush.Duration >= TimeSpan.Zero);

            var compaction = spans.Await("varve.compaction");
            Assert.Equal("bottom", compaction.GetTagItem("varve.level"));
            Assert.Equal("requested", compaction.GetTagItem("varve.reason"));
            Waiting.Until(() => Sum("varve.compaction", "varve.bytes") == statistics.CompactionBytes);
            Waiting.Until(() => Sum("varve.flush", "varve.bytes") == statistics.FlushBytes);

            var snapshot = spans.Await("varve.snapshot");
            Assert.Equal((parent.SpanId, 80L), (snapshot.ParentSpanId, snapshot.GetTagItem("varve.index")));

            Waiting.Until(() => spans.Ended.Count(span => span.OperationName == "varve.install") == 2);
            var installs = spans.Ended.Where(span => span.OperationName == "varve.install").ToList();
            Assert.Equal(ActivityStatusCode.Error, installs[0].Status);
            Assert.Equal(typeof(SnapshotRejectedException).FullName, installs[0].GetTagItem("error.type"));
            Assert.Contains("checksum", installs[0].StatusDescription, StringComparison.Ordinal);
            Assert.Equal(ActivityStatusCode.Unset, installs[1].Status);
            Assert.Equal(parent.SpanId, installs[1].ParentSpanId);
        }

        Assert.Same(parent, Activity.Current);

        long Sum(string name, string tag) =>
            spans.Ended.Where(span => span.OperationName == name).Sum(span => (long)span.GetTagItem(tag)!);
    }

    [Fact]
    public void FailedOpenIsShown()
    {
        using (var engine = _database.Open(Options)) NumberedLog.ApplyUpTo(engine, 5);
        foreach (var segment in _database.Files(".wal")) File.Delete(segment);
        using var spans = new SpansOf(_name);
        var e = Assert.ThrowsAny<Exception>(() => _database.Open(Options));
        var recovery = spans.Await("varve.recovery");
        Assert.Equal(ActivityStatusCode.Error, recovery.Status);
        Assert.Equal(e.GetType().FullName, recovery.GetTagItem("error.type"));
        Assert.Equal(e.Message, recovery.StatusDescription);
    }
}
