using System.Buffers;
using Varve.Tests.Conformance.Known;
using Varve.Tests.Conformance.Stress;

namespace Varve.Tests.Conformance.Hot;

/// <summary>Receives without growing, like a warm pooled writer.</summary>
internal sealed class FixedWriter : IBufferWriter<byte>
{
    private readonly byte[] _buffer = new byte[1 << 16];

    public int Written { get; set; }

    public void Advance(int count) => Written += count;

    public Memory<byte> GetMemory(int sizeHint = 0) => _buffer.AsMemory(Written);

    public Span<byte> GetSpan(int sizeHint = 0) => _buffer.AsSpan(Written);
}

/// <summary>
/// The hot paths allocate nothing once they are warm, whether the data lies in a memtable or in tables.
/// </summary>
public sealed class AllocationTests : DirectoryTest
{
    private const int Warming = 300;
    private const int Measured = 200;
    private const int Windows = 3;
    private const int Calls = Warming + (Windows * Measured);

    private LsmStateMachine _engine;
    private readonly ApplyResult[] _results = new ApplyResult[64];
    private readonly byte[] _room = new byte[1_024];
    private readonly FixedWriter _writer = new();
    private ulong _next = 1;

    public AllocationTests()
    {
        _engine = OpenFilled("db", null);
    }

    private LsmStateMachine OpenFilled(string name, EngineOptions? options)
    {
        var opened = LsmStateMachine.Open(PathOf(name), options);
        for (_next = 1; _next <= 2_000; _next += 50)
            opened.ApplyChunk(Ledger.Chunk(_next, 50), _results);
        return opened;
    }

    /// <summary>
    /// Goes on in a first segment of 16 MiB: none is made, and nothing is flushed, while a test measures. A rotation
    /// does allocate.
    /// </summary>
    private void UseLargeSegment()
    {
        _engine.Dispose();
        _engine = OpenFilled("large", new EngineOptions { MemtableBytes = 4L << 30 });
    }

    private static void AllocatesNothing(Action once) => Allocates(0, once);

    private static void Allocates(long bytes, Action once)
    {
        for (var i = 0; i < Warming; i++)
            once();
        // A lock allocates once, at its first contention; an allocation of the call itself shows in every window.
        var least = long.MaxValue;
        for (var window = 0; window < Windows && least != bytes * Measured; window++)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            for (var i = 0; i < Measured; i++)
                once();
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        Assert.Equal(bytes * Measured, least);
    }

    /// <summary>Once with everything in the memtable, once in one run of tables, once in both.</summary>
    private async Task EverywhereAsync(Action once, long bytes = 0)
    {
        Allocates(bytes, once);
        await _engine.CompactAsync();
        Allocates(bytes, once);
        _engine.ApplyChunk(Ledger.Chunk(_next, 30), _results);
        _next += 30;
        Allocates(bytes, once);
    }

    [Fact]
    public void ApplyingWireChunkAllocatesNothing()
    {
        UseLargeSegment();
        var chunks = new Queue<byte[]>(
            Enumerable.Range(0, Calls).Select(i => WireChunk.Encode(Ledger.Chunk(_next + (ulong)(i * 20), 20))));
        AllocatesNothing(() => _engine.ApplyChunk(chunks.Dequeue().AsSpan(), _results));
    }

    [Fact]
    public void ApplyingSegmentedWireChunkAllocatesNothing()
    {
        UseLargeSegment();
        var chunks = new Queue<ReadOnlySequence<byte>>(Enumerable.Range(0, Calls)
            .Select(i => Segmented.Of(WireChunk.Encode(Ledger.Chunk(_next + (ulong)(i * 20), 20)), () => 100)));
        AllocatesNothing(() => _engine.ApplyChunk(chunks.Dequeue(), _results));
    }

    [Fact]
    public void ApplyingNativeChunkAllocatesNothing()
    {
        UseLargeSegment();
        var chunks = new Queue<ApplyEntry[]>(
            Enumerable.Range(0, Calls).Select(i => Ledger.Chunk(_next + (ulong)(i * 20), 20)));
        AllocatesNothing(() => _engine.ApplyChunk(chunks.Dequeue(), _results));
    }

    /// <summary>Not more than its results, if it waits for nothing.</summary>
    [Fact]
    public void AsyncApplyAllocatesItsResults()
    {
        UseLargeSegment();
        var chunks = new Queue<ApplyEntry[]>(
            Enumerable.Range(0, Calls).Select(i => Ledger.Chunk(_next + (ulong)(i * 20), 20)));
        var seen = 0;
        Allocates(
            24 + (20 * System.Runtime.CompilerServices.Unsafe.SizeOf<ApplyResult>()),
            () => seen += _engine.ApplyChunkAsync(chunks.Dequeue()).Result.Length);
        Assert.True(seen > 0);
    }

    [Fact]
    public void MovingMarkAllocatesNothing()
    {
        UseLargeSegment();
        var chunks = new Queue<ApplyEntry[]>(
            Enumerable.Range(0, Calls).Select(i => Ledger.Chunk(_next + (ulong)(i * 20), 20)));
        var mark = new byte[64];
        AllocatesNothing(() =>
        {
            mark[0]++;
            _engine.ApplyChunk(chunks.Dequeue(), _results, mark);
            mark[1]++;
            _engine.ApplyChunk(ReadOnlySpan<ApplyEntry>.Empty, [], mark);
            _engine.ReadMark(_room);
            using var view = _engine.OpenView();
            view.ReadMark(_room);
        });
    }

    [Fact]
    public void ApplyingEveryKindOfCommandAllocatesNothing()
    {
        UseLargeSegment();
        var chunks = new Queue<ApplyEntry[]>(Enumerable.Range(0, Calls).Select(i => EveryKind(_next + (ulong)(i * 5))));
        AllocatesNothing(() => _engine.ApplyChunk(chunks.Dequeue(), _results));

        static ApplyEntry[] EveryKind(ulong first)
        {
            var key = Ledger.Key((int)(first % Ledger.Keys));
            var value = Ledger.Value(first);
            return
            [
                new(first, 10, Command.Insert(key, value, 1_000_000)),
                new(first + 1, 10, Command.CompareAndSwap(key, value, key)),
                new(first + 2, 10, Command.CompareAndSwap(key, null, value)), new(first + 3, 10, Command.Noop),
                new(first + 4, 10, Command.Delete(key)),
            ];
        }
    }

    [Fact]
    public void AnsweringDuplicatesAllocatesNothing()
    {
        var chunk = Ledger.Chunk(_next - 50, 50);
        AllocatesNothing(() => _engine.ApplyChunk(chunk, _results));
    }

    [Fact]
    public Task ReadAllocatesNothing()
    {
        var k = 0;
        return EverywhereAsync(() => _engine.Read(Ledger.Key(k++ % Ledger.Keys), _room));
    }

    [Fact]
    public Task TryGetAllocatesNothing()
    {
        var k = 0;
        return EverywhereAsync(() =>
        {
            _writer.Written = 0;
            _engine.TryGet(Ledger.Key(k++ % Ledger.Keys), _writer);
        });
    }

    [Fact]
    public Task ReadingAbsentKeyAllocatesNothing()
    {
        byte[] absent = [1, 2, 3];
        return EverywhereAsync(() => _ = _engine.Read(absent, _room) == -1
            ? 0
            : throw new InvalidOperationException("An absent key was found."));
    }

    /// <summary>An array of references, and for each key that is there an array of its value.</summary>
    [Fact]
    public Task GetMultiAllocatesItsAnswerOnly()
    {
        const int ArrayBytes = 24, Present = 60, Absent = 40, ValueBytes = 96;
        ReadOnlyMemory<byte>[] keys = [.. Enumerable.Range(0, Present + Absent).Select(
            i => (ReadOnlyMemory<byte>)new byte[] { 200, (byte)i })];
        ApplyEntry[] chunk = [.. keys.Take(Present).Select((key, i) =>
            new ApplyEntry(
                _next + (ulong)i, Ledger.At(_next + (ulong)i).Term, Command.Insert(key, new byte[ValueBytes]),
                _next + (ulong)i))];
        _engine.ApplyChunk(chunk, _results);
        _next += Present;
        long bytes = ArrayBytes + (8 * keys.Length) + (Present * (ArrayBytes + ValueBytes));
        return EverywhereAsync(() => _engine.GetMulti(keys), bytes);
    }

    [Fact]
    public Task ViewAllocatesNothing()
    {
        var k = 0;
        long bytes = 0;
        return EverywhereAsync(() =>
        {
            using var view = _engine.OpenView();
            if (view.TryGet(Ledger.Key(k++ % Ledger.Keys), out var value)) bytes += value.Length;
        });
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public Task PrefixScanAllocatesNothing(bool reversed)
    {
        long bytes = 0;
        return EverywhereAsync(() =>
        {
            using var view = _engine.OpenView();
            var scan = view.ScanPrefix(Ledger.Prefix);
            foreach (var entry in reversed ? scan.Reversed() : scan)
                bytes += entry.Key.Length + entry.Value.Length;
        });
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public Task RangeScanAllocatesNothing(bool reversed)
    {
        long bytes = 0;
        return EverywhereAsync(() =>
        {
            using var view = _engine.OpenView();
            var scan = view.ScanRange(Ledger.Key(5), Ledger.Key(50));
            foreach (var entry in reversed ? scan.Reversed() : scan)
                bytes += entry.Key.Length + entry.Value.Length;
        });
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public Task SeeksAndDeadlinesAllocateNothing(bool reversed)
    {
        long seen = 0;
        var k = 0;
        return EverywhereAsync(() =>
        {
            using var view = _engine.OpenView();
            using var scan = reversed ? view.ScanPrefix(Ledger.Prefix).Reversed() : view.ScanPrefix(Ledger.Prefix);
            for (var i = 0; i < 5; i++)
            {
                scan.Seek(Ledger.Key(k++ % Ledger.Keys));
                while (scan.MoveNext() && seen++ % 4 != 3) seen += (long)(scan.Current.LeaseDeadlineMs ?? 0);
            }

            if (view.TryGet(Ledger.Key(k % Ledger.Keys), out _, out var deadline)) seen += (long)(deadline ?? 0);
        });
    }

    [Fact]
    public Task CountAndPositionAllocateNothing() => EverywhereAsync(() =>
    {
        _ = _engine.Count;
        _ = _engine.LastApplied;
        _ = _engine.EntryTerm(7);
    });

    protected override void Dispose(bool disposing)
    {
        _engine.Dispose();
        base.Dispose(disposing);
    }
}
