using System.Diagnostics;
using Xunit.Abstractions;

namespace Varve.Tests.Conformance.Stress;

/// <summary>
/// Readers see one consistent revision during any other activity, and after close only that it is closed.
/// <c>VARVE_STRESS_SECONDS</c> a test (3), <c>VARVE_STRESS_SEED</c> replays the choices, not the interleaving.
/// </summary>
public abstract class ConcurrencyTests<TFactory>(ITestOutputHelper output) : DirectoryTest
    where TFactory : IMachineFactory, new()
{
    private readonly TFactory _factory = new();
    private readonly Epoch _epoch = new();
    private int _names;

    protected TFactory Factory => _factory;

    protected virtual EngineOptions Options => new();

    /// <summary>Of each test.</summary>
    protected virtual int Seconds => Setting.Of("VARVE_STRESS_SECONDS", 3);

    [Fact]
    public Task ReadersSeeOneRevisionWhileChunksAreApplied() => RunAsync(NothingAsync);

    [Fact]
    public Task ReadersSeeOneRevisionDuringFlushes() => RunAsync((machine, _) => machine.FlushAsync());

    [Fact]
    public Task ReadersSeeOneRevisionDuringCompactions() =>
        RunAsync((machine, _) => (machine as LsmStateMachine)?.CompactAsync() ?? Task.CompletedTask);

    [Fact]
    public Task ReadersSeeOneRevisionDuringSnapshots() => RunAsync(async (machine, random) =>
    {
        var index = machine.LastApplied.Index;
        var at = Ledger.At(index - Math.Min(index, (ulong)random.Next(100)));
        var path = PathOf($"snapshot{++_names}");
        ReadOnlyMemory<byte> checksum;
        try
        {
            checksum = await machine.GenerateSnapshotDataAsync(path, at);
        }
        catch (ArgumentOutOfRangeException) when (machine.LastApplied.Index - at.Index > (ulong)Options.HistoryEntries)
        {
            return; // the writer went on by more than the history while this thread had no core
        }
        await using (var copy = _factory.Open(path + ".copy", Options))
        {
            await copy.ApplySnapshotFromFileAsync(new SnapshotMetadata(at, checksum), path);
            var scan = copy.ScanPrefix([]);
            Assert.Equal(at.Index, scan.Revision);
            Ledger.Verify(scan.Revision, scan.Entries);
        }
        Directory.Delete(path, recursive: true);
        if (Directory.Exists(path + ".copy")) Directory.Delete(path + ".copy", recursive: true);
    });

    [Fact]
    public async Task ReadersSeeOneRevisionDuringInstalls()
    {
        await using var ahead = _factory.Open(PathOf("ahead"), Options);
        await RunAsync(NothingAsync, between: async (machine, random) =>
        {
            var to = machine.LastApplied.Index + (ulong)random.Next(0, 300);
            var from = ahead.LastApplied.Index;
            if (to > from) await ahead.ApplyChunkAsync(Ledger.Chunk(from + 1, (int)(to - from)));
            var path = PathOf($"install{++_names}");
            var at = ahead.LastApplied;
            var checksum = await ahead.GenerateSnapshotDataAsync(path, at);
            await machine.ApplySnapshotFromFileAsync(new SnapshotMetadata(at, checksum), path);
            Directory.Delete(path, recursive: true);
        });
    }

    [Fact]
    public Task ReadersSeeOneRevisionDuringResets() => RunAsync(NothingAsync, between: async (machine, random) =>
    {
        if (random.Next(4) != 0) return;
        _epoch.Turn();
        await machine.ResetAsync();
        _epoch.Turn();
    });

    [Fact]
    public async Task ReadersDuringCloseSeeOnlyObjectDisposed()
    {
        var end = End(Seconds);
        for (var round = 0; round == 0 || Stopwatch.GetTimestamp() < end; round++)
        {
            var machine = _factory.Open(PathOf("closing"), Options);
            var readers = Readers(machine, round);
            var next = machine.LastApplied.Index + 1;
            for (var chunk = 0; chunk < 20; chunk++, next += 25)
                await machine.ApplyChunkAsync(Ledger.Chunk(next, 25));
            machine.CloseStorage();
            await Task.WhenAll(readers);
        }
    }

    private static Task NothingAsync(IStateMachine machine, Random random) => Task.CompletedTask;

    /// <summary>
    /// Two readers, a writer, and a disturber beside them; or something the writer does between chunks. Then close.
    /// </summary>
    private async Task RunAsync(
        Func<IStateMachine, Random, Task> beside, Func<IStateMachine, Random, Task>? between = null)
    {
        var seed = (int)(Setting.Seed("VARVE_STRESS_SEED", output) & int.MaxValue);
        var machine = _factory.Open(PathOf("db"), Options);
        var readers = Readers(machine, seed);
        using var finished = new CancellationTokenSource();
        var disturber = OnThreadAsync(async () =>
        {
            var random = new Random(seed + 1);
            while (!finished.IsCancellationRequested && beside != NothingAsync)
                await beside(machine, random);
        });
        try
        {
            // One with nothing to do is over at once.
            Task[] watched = beside == NothingAsync ? readers : [.. readers, disturber];
            await OnThreadAsync(() => WriteAsync(machine, new Random(seed), between, Task.WhenAny(watched)));
        }
        finally
        {
            await finished.CancelAsync();
            await disturber;
            machine.CloseStorage();
            await Task.WhenAll(readers);
        }
    }

    private async Task WriteAsync(
        IStateMachine machine, Random random, Func<IStateMachine, Random, Task>? between, Task trouble)
    {
        var end = End(Seconds);
        var disturbed = Stopwatch.StartNew();
        for (var chunk = 0; Stopwatch.GetTimestamp() < end && !trouble.IsCompleted; chunk++)
        {
            await machine.ApplyChunkAsync(Ledger.Chunk(machine.LastApplied.Index + 1, random.Next(1, 50)));
            if (between is not null && chunk % 20 == 19) await between(machine, random);
        }
        Assert.Equal(Ledger.CountAt(machine.LastApplied.Index), machine.Count);
        output.WriteLine($"applied {machine.LastApplied.Index} in {disturbed.Elapsed}");
    }

    private static long End(int seconds) => Stopwatch.GetTimestamp() + (seconds * Stopwatch.Frequency);

    private Task[] Readers(IStateMachine machine, int seed) =>
        [.. Enumerable.Range(0, 2).Select(i => OnThreadAsync(() =>
        {
            new LedgerReader(machine, _epoch, seed + 100 + i).Run();
            return Task.CompletedTask;
        }))];

    private static Task OnThreadAsync(Func<Task> work) =>
        Task.Factory.StartNew(work, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default)
            .Unwrap();
}

public sealed class ModelUnderConcurrency(ITestOutputHelper output) : ConcurrencyTests<DictionaryMachines>(output)
{
    [Fact]
    public void LedgerKnowsStateAtEveryRevision()
    {
        var machine = new DictionaryStateMachine();
        for (ulong index = 0; index < 400; index++)
        {
            var scan = machine.ScanPrefix([]);
            Ledger.Verify(index, scan.Entries);
            Assert.Equal(Ledger.CountAt(index), machine.Count);
            _ = machine.ApplyChunkAsync(Ledger.Chunk(index + 1, 1));
        }
        Assert.Equal(Ledger.At(400), machine.LastApplied);
    }
}

public sealed class EngineUnderConcurrency(ITestOutputHelper output) : ConcurrencyTests<EngineMachines>(output);

public sealed class TinyEngineUnderConcurrency(ITestOutputHelper output)
    : ConcurrencyTests<TinyEngineMachines>(output);

/// <summary>
/// With retired mappings protected, a reader that comes too late does not get away with it: the process dies, and the
/// test with it.
/// </summary>
public sealed class TinyEngineWithProtectedRetiredMappings(ITestOutputHelper output)
    : ConcurrencyTests<ProtectedEngineMachines>(output)
{
    private readonly ITestOutputHelper _output = output;

    protected override int Seconds => Setting.Of("VARVE_STRESS_SECONDS", 1);

    protected override void Dispose(bool disposing)
    {
        _output.WriteLine(Factory.Retired is { } retired
            ? $"{retired} mappings were retired and protected"
            : "mappings cannot be protected here");
        Factory.Release();
        base.Dispose(disposing);
    }
}
