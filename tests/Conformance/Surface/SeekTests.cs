using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;
using Varve.Tests.Conformance.Traces;

namespace Varve.Tests.Conformance.Surface;

/// <summary>Scans move to any key of their range, in both directions and at any revision.</summary>
public sealed class SeekTests : MachineTest<EngineMachines>
{
    private const int KeysMax = 48;

    /// <summary>Small memtables, so that scans meet several memtables and runs.</summary>
    protected override EngineOptions Options => base.Options with { MemtableBytes = 1 << 20, UpperRunsMax = 2 };

    private LsmStateMachine Engine => (LsmStateMachine)Machine;

    [Fact]
    public async Task SeekMovesForwardAndBack()
    {
        await ApplyAsync(Put(1, "a", "1"), Put(2, "c", "2"), Put(3, "e", "3"), Delete(4, "c"), Put(5, "x", "5"));
        using var view = Engine.OpenView();
        using var scan = view.ScanRange("b"u8, "f"u8);
        scan.Seek("a"u8);
        Assert.Equal("e", Next(scan));
        scan.Seek("b"u8);
        Assert.Equal("e", Next(scan));
        Assert.Null(Next(scan));
        scan.Seek("e"u8);
        Assert.Equal("e", Next(scan));
        scan.Seek("f"u8);
        Assert.Null(Next(scan));
        Assert.Null(Next(scan));

        using var back = view.ScanRange("b"u8, "f"u8).Reversed();
        back.Seek("z"u8);
        Assert.Equal("e", Next(back));
        back.Seek("e"u8);
        Assert.Equal("e", Next(back));
        back.Seek("d"u8);
        Assert.Null(Next(back));
        back.Seek("a"u8);
        Assert.Null(Next(back));
    }

    [Fact]
    public async Task ScanStandsOnNoEntryBetweenSeekAndStep()
    {
        await ApplyAsync(Put(1, "a", "1"), Put(2, "b", "2"));
        using var view = Engine.OpenView();
        var scan = view.ScanPrefix([]);
        Assert.Equal("a", Next(scan));
        scan.Seek("b"u8);
        Assert.Equal(typeof(InvalidOperationException), Refusal(scan, static it => _ = it.Current.Key.Length));
        Assert.Equal(typeof(InvalidOperationException), Refusal(scan, static it => it.Reversed()));
        Assert.Equal("b", Next(scan));
    }

    [Fact]
    public async Task EndedScanIsNotMoved()
    {
        await ApplyAsync(Put(1, "a", "1"));
        var view = Engine.OpenView();
        var ended = view.ScanPrefix([]);
        while (ended.MoveNext()) { }
        Assert.Equal(typeof(InvalidOperationException), Refusal(ended, static it => it.Seek([])));
        var disposed = view.ScanPrefix([]);
        disposed.Seek([]);
        disposed.Dispose();
        Assert.Equal(typeof(InvalidOperationException), Refusal(disposed, static it => it.Seek([])));
        var open = view.ScanPrefix([]);
        view.Dispose();
        Assert.Equal(typeof(ObjectDisposedException), Refusal(open, static it => it.Seek([])));
        Assert.Equal(typeof(ObjectDisposedException), Refusal(default, static it => it.Seek([])));
    }

    [Fact]
    public async Task PageCostDependsOnItsEntriesNotOnPrefix()
    {
        ulong index = 0;
        for (var chunk = 0; chunk < 20; chunk++)
            await Machine.ApplyChunkAsync(Enumerable.Range(0, 1_000)
                .Select(_ => Put(++index, $"key/{index:d6}", new string('v', 50))).ToArray());
        await Engine.CompactAsync();
        Engine.ScanPage("key/"u8, "key/010000"u8, 10);
        var before = GC.GetAllocatedBytesForCurrentThread();
        var page = Engine.ScanPage("key/"u8, "key/010000"u8, 10);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 1, 8_000);
        Assert.Equal(10, page.Entries.Count);
        Assert.Equal("key/010001"u8, page.Entries[0].Key.Span);
    }

    [Property(MaxTest = 60)]
    public void PagesAndSeeksMatchSortedListAtEveryRevision(int seed)
    {
        var random = new Random(seed);
        var model = new SortedDictionary<string, KeyValueEntry>(StringComparer.Ordinal);
        using var engine = (LsmStateMachine)Factory.Open(PathOf($"db{seed}-{Guid.NewGuid():n}"), Options);
        Play(engine, model, random, depth: random.Next(2, 7));
    }

    /// <summary>Applies and rewrites, opens a view, goes on likewise, and then looks at the view's revision.</summary>
    private void Play(
        LsmStateMachine engine, SortedDictionary<string, KeyValueEntry> model, Random random, int depth)
    {
        Change(engine, model, random);
        using var view = engine.OpenView();
        KeyValueEntry[] all = [.. model.Values];
        ComparePage(engine, all, random);
        if (depth > 0) Play(engine, model, random, depth - 1);
        for (var i = 0; i < 6; i++)
        {
            var prefix = Universe.Prefix(random.Next(1_000));
            TraceReads.CompareSeeks(
                view.ScanPrefix(prefix), [.. all.Where(entry => entry.Key.Span.StartsWith(prefix))], random,
                isReversed: i % 2 == 0);
            byte[] from = random.Next(4) == 0 ? [] : Universe.Key(random.Next(KeysMax));
            byte[] to = random.Next(4) == 0 ? [] : Universe.Key(random.Next(KeysMax));
            KeyValueEntry[] range = [.. all.Where(entry => entry.Key.Span.SequenceCompareTo(from) >= 0
                && (to.Length == 0 || entry.Key.Span.SequenceCompareTo(to) < 0))];
            TraceReads.CompareSeeks(view.ScanRange(from, to), range, random, isReversed: i % 3 == 0);
        }
    }

    private void Change(LsmStateMachine engine, SortedDictionary<string, KeyValueEntry> model, Random random)
    {
        var next = engine.LastApplied.Index;
        var now = (ulong)Clock.GetUtcNow().ToUnixTimeMilliseconds();
        for (var chunks = random.Next(1, 4); chunks > 0; chunks--)
        {
            var chunk = new ApplyEntry[random.Next(1, 30)];
            for (var i = 0; i < chunk.Length; i++)
            {
                var key = Universe.Key(random.Next(KeysMax));
                var value = Universe.Value(random);
                var ttl = (ulong)(random.Next(3) == 0 ? random.Next(1, 1_000) : 0);
                var isDelete = random.Next(4) == 0;
                chunk[i] = new ApplyEntry(
                    ++next, 1, isDelete ? Command.Delete(key) : Command.Insert(key, value, ttl));
                if (isDelete) model.Remove(Convert.ToHexString(key));
                else
                    model[Convert.ToHexString(key)] =
                        new KeyValueEntry(key, value) { LeaseDeadlineMs = ttl == 0 ? null : now + ttl * 1_000 };
            }

            engine.ApplyChunk(chunk, new ApplyResult[chunk.Length]);
            if (random.Next(4) == 0) engine.CompactAsync().GetAwaiter().GetResult();
        }
    }

    private static void ComparePage(LsmStateMachine engine, KeyValueEntry[] all, Random random)
    {
        var prefix = Universe.Prefix(random.Next(1_000));
        var after = random.Next(3) == 0 ? [] : Universe.Key(random.Next(KeysMax));
        var limit = random.Next(1, 20);
        KeyValueEntry[] rest = [.. all.Where(entry =>
            entry.Key.Span.StartsWith(prefix) && entry.Key.Span.SequenceCompareTo(after) > 0)];
        var expected = new ScanPage(
            [.. rest.Take(limit)], engine.LastApplied.Index,
            rest.Length > limit ? rest[limit - 1].Key : default);
        Assert.Equal(expected, engine.ScanPage(prefix, after, limit));
    }

    private static string? Next(ScanEnumerator scan) =>
        scan.MoveNext() ? System.Text.Encoding.UTF8.GetString(scan.Current.Key) : null;

    private delegate void ScanAct(ScanEnumerator scan);

    private static Type? Refusal(ScanEnumerator scan, ScanAct act)
    {
        try
        {
            act(scan);
            return null;
        }
        catch (InvalidOperationException refusal)
        {
            return refusal.GetType();
        }
    }
}
