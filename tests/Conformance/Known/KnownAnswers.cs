using Varve.Cli.Sample;

namespace Varve.Tests.Conformance.Known;

/// <summary>The way in which chunks reach a machine.</summary>
public enum ApplyPath
{
    Async,
    NativeSpan,
    WireSpan,
    WireSequence,
}

/// <summary>A real log gives the answers that an independent model computed.</summary>
public abstract class KnownAnswers<TFactory> : DirectoryTest where TFactory : IMachineFactory, new()
{
    private readonly List<IStateMachine> _opened = [];
    private readonly TFactory _factory = new();
    private readonly Random _random = new(7);

    private protected IStateMachine Open(string name, EngineOptions options)
    {
        var machine = _factory.Open(PathOf(name), options);
        _opened.Add(machine);
        return machine;
    }

    private protected async Task AppliesTheWholeLogAsync(ApplyPath path, EngineOptions options)
    {
        var log = DebianLog.Instance;
        var machine = Open("db", options);
        var results = new List<ApplyResult>();
        for (var i = 0; i < log.Chunks; i++)
            results.AddRange(await ApplyAsync(machine, path, log.Native[i], log.Wire[i]));
        log.VerifyResults(results);
        Assert.Equal(log.LastApplied, machine.LastApplied);
        log.Marks[^1].Verify(machine);
        await machine.DisposeAsync();
        log.Marks[^1].Verify(Open("db", options));
    }

    private protected async Task ReadsTheStateAtEveryMarkAsync(ApplyPath path, EngineOptions options)
    {
        var log = DebianLog.Instance;
        var machine = Open("db", options);
        var marks = new Queue<Mark>(log.Marks);
        foreach (var chunk in log.Native)
        {
            var rest = chunk;
            while (marks.TryPeek(out var mark) && rest.Length > 0 && mark.At.Index <= rest[^1].Index)
            {
                var split = (int)(mark.At.Index - rest[0].Index) + 1;
                await ApplyAsync(machine, path, rest[..split], WireChunk.Encode(rest[..split]));
                marks.Dequeue().Verify(machine);
                rest = rest[split..];
            }
            await ApplyAsync(machine, path, rest, WireChunk.Encode(rest));
        }
        Assert.Empty(marks);
    }

    private protected async Task CutsASnapshotAtEveryMarkAsync(ApplyPath path, EngineOptions options)
    {
        var log = DebianLog.Instance;
        var machine = Open("db", options);
        var marks = new Queue<Mark>(log.Marks);
        var target = Open("target", options);
        for (var i = 0; i < log.Chunks; i++)
        {
            await ApplyAsync(machine, path, log.Native[i], log.Wire[i]);
            while (marks.TryPeek(out var mark) && mark.At.Index <= machine.LastApplied.Index)
            {
                var directory = PathOf($"snapshot{mark.At.Index}");
                var checksum = await machine.GenerateSnapshotDataAsync(directory, mark.At);
                await target.ApplySnapshotFromFileAsync(new SnapshotMetadata(mark.At, checksum), directory);
                marks.Dequeue().Verify(target);
            }
        }
        Assert.Empty(marks);
        await target.DisposeAsync();
        log.Marks[^1].Verify(Open("target", options));
    }

    private async Task<ApplyResult[]> ApplyAsync(
        IStateMachine machine, ApplyPath path, ApplyEntry[] native, byte[] wire)
    {
        if (path == ApplyPath.Async || machine is not LsmStateMachine engine)
            return await machine.ApplyChunkAsync(native);
        var results = new ApplyResult[native.Length];
        switch (path)
        {
            case ApplyPath.NativeSpan:
                engine.ApplyChunk(native, results);
                break;
            case ApplyPath.WireSpan:
                Assert.Equal(native.Length, engine.ApplyChunk(wire.AsSpan(), results));
                break;
            case ApplyPath.WireSequence:
                Assert.Equal(native.Length, engine.ApplyChunk(Segmented.Of(wire, () => _random.Next(0, 900)), results));
                break;
        }
        return results;
    }

    protected override void Dispose(bool disposing)
    {
        foreach (var machine in _opened)
            machine.CloseStorage();
        base.Dispose(disposing);
    }
}

/// <summary>The model gives them: that is the proof of the model.</summary>
public sealed class ModelGivesKnownAnswers : KnownAnswers<DictionaryMachines>
{
    [Fact]
    public Task AppliesWholeLog() => AppliesTheWholeLogAsync(ApplyPath.Async, DebianLog.Options);

    [Fact]
    public Task ReadsStateAtEveryMark() => ReadsTheStateAtEveryMarkAsync(ApplyPath.Async, DebianLog.Options);

    [Fact]
    public Task CutsSnapshotAtEveryMark() => CutsASnapshotAtEveryMarkAsync(ApplyPath.Async, DebianLog.Options);

    [Fact]
    public void TestEncoderInvertsTestDecoder()
    {
        foreach (var chunk in DebianLog.Instance.Native)
        {
            var wire = WireChunk.Encode(chunk);
            Assert.Equal(wire, WireChunk.Encode(WireChunk.Decode(wire)));
            Assert.True(
                wire.AsSpan().SequenceEqual(System.Buffers.BuffersExtensions.ToArray(Segmented.Of(wire, () => 3))));
        }
    }
}

/// <summary>The engine gives them on every path, with memtables from many to one.</summary>
public sealed class EngineGivesKnownAnswers : KnownAnswers<EngineMachines>
{
    private const long Smallest = 64 << 10;
    private const long Small = 256 << 10;
    private const long Default = 64 << 20;

    private static EngineOptions With(long memtableBytes) => DebianLog.Options with { MemtableBytes = memtableBytes };

    [Theory]
    [InlineData(ApplyPath.Async, Small)]
    [InlineData(ApplyPath.NativeSpan, Smallest)]
    [InlineData(ApplyPath.NativeSpan, Default)]
    [InlineData(ApplyPath.WireSpan, Smallest)]
    [InlineData(ApplyPath.WireSpan, Small)]
    [InlineData(ApplyPath.WireSpan, Default)]
    [InlineData(ApplyPath.WireSequence, Smallest)]
    [InlineData(ApplyPath.WireSequence, Default)]
    public Task AppliesWholeLog(ApplyPath path, long memtableBytes) =>
        AppliesTheWholeLogAsync(path, With(memtableBytes));

    [Theory]
    [InlineData(ApplyPath.NativeSpan, Default)]
    [InlineData(ApplyPath.WireSpan, Smallest)]
    [InlineData(ApplyPath.WireSpan, Small)]
    [InlineData(ApplyPath.WireSequence, Small)]
    public Task ReadsStateAtEveryMark(ApplyPath path, long memtableBytes) =>
        ReadsTheStateAtEveryMarkAsync(path, With(memtableBytes));

    [Theory]
    [InlineData(ApplyPath.NativeSpan, Small)]
    [InlineData(ApplyPath.WireSpan, Smallest)]
    [InlineData(ApplyPath.WireSpan, Small)]
    [InlineData(ApplyPath.WireSpan, Default)]
    public Task CutsSnapshotAtEveryMark(ApplyPath path, long memtableBytes) =>
        CutsASnapshotAtEveryMarkAsync(path, With(memtableBytes));
}
