using Varve.Background;
using Varve.Storage;
using Varve.Tests.Engine.Recovery;
using Xunit;

namespace Varve.Tests.Engine.Applying;

/// <summary>
/// An asynchronous apply does not keep its caller's thread, whatever the chunk waits for; chunks are applied in the
/// order of the calls.
/// </summary>
public sealed class AsyncApplyTests : IDisposable
{
    private const int Entries = 10;
    private const int ValueBytes = 1_000;
    private const int CallsMax = 5_000;

    private readonly Database _database = new();
    private readonly FaultInjector _storage = new(Storages.Default);
    private readonly ManualResetEventSlim _mayGoOn = new();
    private readonly List<Task<ApplyResult[]>> _applies = [];
    private ulong _next = 1;

    private static EngineOptions Options =>
        Database.Small with { MemtableBytes = 256 << 10, IdleAfter = Timeout.InfiniteTimeSpan };

    public void Dispose()
    {
        _mayGoOn.Set();
        _storage.Before = null;
        _database.Dispose();
        _mayGoOn.Dispose();
    }

    [Fact]
    public async Task ApplyThatWaitsForNothingCompletesSynchronously()
    {
        using var engine = _database.Open(Options);
        Assert.True(engine.ApplyChunkAsync(Chunk(1)).IsCompletedSuccessfully);
        await Assert.ThrowsAsync<LogGapException>(async () => await engine.ApplyChunkAsync(Chunk(100)));
        Assert.Equal((ulong)Entries, engine.LastApplied.Index);
    }

    [Theory]
    [InlineData(Durability.Process)]
    [InlineData(Durability.Power)]
    public async Task CallerIsNotBlockedWhileFlushesAreDue(Durability durability)
    {
        using var engine = _database.Open(Options with { Durability = durability }, new EngineSeams(_storage));
        HoldFlushes();
        await ApplyUntilQueued(engine, more: 20, isQueued: () => engine.GetStatistics().FlushStalls > 0);
        Assert.False(_applies[^1].IsCompleted);
        Assert.True(engine.LastApplied.Index < _next - 1);
        _mayGoOn.Set();
        await Task.WhenAll(_applies).WaitAsync(Waiting.Patience);
        AssertAppliedInOrder(engine, _applies.Count);
        Assert.Equal(Entries, (await engine.ApplyChunkAsync(Chunk(_next)).AsTask().WaitAsync(Waiting.Patience)).Length);
    }

    [Fact]
    public async Task MemtableIsNotMadeOnCallersThread()
    {
        using var engine = _database.Open(Options, new EngineSeams(_storage));
        var caller = 0;
        var byCaller = false;
        _storage.Before = (operation, path) =>
        {
            if (operation != "create" || !path.Contains(FileNames.SegmentSuffix, StringComparison.Ordinal)) return;
            if (Environment.CurrentManagedThreadId == Volatile.Read(ref caller)) Volatile.Write(ref byCaller, true);
            else _mayGoOn.Wait();
        };
        await ApplyUntilQueued(
            engine, more: 5, isQueued: () => _applies is [.., { IsCompleted: false }],
            begins: () => Volatile.Write(ref caller, Environment.CurrentManagedThreadId));
        _mayGoOn.Set();
        await Task.WhenAll(_applies).WaitAsync(Waiting.Patience);
        Assert.False(byCaller, "the caller's thread made a segment");
        AssertAppliedInOrder(engine, _applies.Count);
    }

    [Fact]
    public async Task CallerDoesNotWaitForGateThatAnotherHoldsForLong()
    {
        using var engine = _database.Open(Options, new EngineSeams(_storage));
        using var isHeld = new ManualResetEventSlim();
        engine.ApplyChunk(Chunk(1), new ApplyResult[Entries]);
        _storage.Before = (operation, path) =>
        {
            // A reset writes its manifest record under the gate.
            if (operation != "write" || !path.Contains(FileNames.ManifestSuffix, StringComparison.Ordinal)) return;
            isHeld.Set();
            _mayGoOn.Wait();
        };
        var reset = engine.ResetAsync();
        Assert.True(isHeld.Wait(Waiting.Patience));
        // Its own task: a blocked thread fails the test.
        var apply = await Task.Run(() => (Task: engine.ApplyChunkAsync(Chunk(1)).AsTask(), 0))
            .WaitAsync(Waiting.Patience);
        Assert.False(apply.Task.IsCompleted);
        _mayGoOn.Set();
        await reset.WaitAsync(Waiting.Patience);
        await apply.Task.WaitAsync(Waiting.Patience);
        AssertAppliedInOrder(engine, 1);
    }

    [Fact]
    public async Task CancelledChunkAppliesNothingAndLaterChunksMeetGap()
    {
        using var engine = _database.Open(Options, new EngineSeams(_storage));
        HoldFlushes();
        await ApplyUntilQueued(engine, more: 3, isQueued: () => engine.GetStatistics().FlushStalls > 0);
        using var cancel = new CancellationTokenSource();
        var first = _next;
        var cancelled = engine.ApplyChunkAsync(Chunk(first), cancel.Token).AsTask();
        var behind = engine.ApplyChunkAsync(Chunk(first + Entries)).AsTask();
        await cancel.CancelAsync();
        var failure = await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => cancelled.WaitAsync(Waiting.Patience));
        Assert.Equal(cancel.Token, failure.CancellationToken);
        _mayGoOn.Set();
        await Task.WhenAll(_applies).WaitAsync(Waiting.Patience);
        await Assert.ThrowsAsync<LogGapException>(() => behind.WaitAsync(Waiting.Patience));
        AssertAppliedInOrder(engine, _applies.Count);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            async () => await engine.ApplyChunkAsync(Chunk(first), cancel.Token));
        Assert.Equal(Entries, (await engine.ApplyChunkAsync(Chunk(first))).Length);
    }

    [Fact]
    public async Task QueuedChunkIsCopied()
    {
        using var engine = _database.Open(Options, new EngineSeams(_storage));
        HoldFlushes();
        await ApplyUntilQueued(engine, more: 1, isQueued: () => engine.GetStatistics().FlushStalls > 0);
        byte[] key = [1, 2, 3], value = [4, 5];
        ApplyEntry[] chunk = [new(_next, 1, Command.Insert(key, value))];
        var apply = engine.ApplyChunkAsync(chunk).AsTask();
        Assert.False(apply.IsCompleted);
        key[0] = value[0] = 99;
        chunk[0] = default;
        _mayGoOn.Set();
        await apply.WaitAsync(Waiting.Patience);
        Assert.Equal([4, 5], engine.Get([1, 2, 3])!);
    }

    [Fact]
    public async Task CloseFailsWaitingChunksAndKeepsAppliedOnes()
    {
        var engine = _database.Open(Options, new EngineSeams(_storage));
        HoldFlushes();
        await ApplyUntilQueued(engine, more: 20, isQueued: () => engine.GetStatistics().FlushStalls > 0);
        var close = Task.Run(() => engine.CloseStorage());
        await Task.WhenAll(_applies).WaitAsync(Waiting.Patience).ContinueWith(_ => { }, TaskScheduler.Default);
        _mayGoOn.Set();
        await close.WaitAsync(Waiting.Patience);
        var applied = _applies.TakeWhile(apply => apply.IsCompletedSuccessfully).Count();
        Assert.InRange(applied, 1, _applies.Count - 20);
        Assert.All(
            _applies.Skip(applied), apply => Assert.IsType<ObjectDisposedException>(apply.Exception!.InnerException));
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await engine.ApplyChunkAsync(Chunk(_next)));
        using var again = _database.Open(Options);
        AssertAppliedInOrder(again, applied);
    }

    [Fact]
    public async Task FullDiskFailsChunksThatWaitForFlush()
    {
        using var engine = _database.Open(Options, new EngineSeams(_storage));
        var isFull = true;
        _storage.Before = (operation, path) =>
        {
            if (operation == "create" && path.Contains(FileNames.TableSuffix, StringComparison.Ordinal)
                && Volatile.Read(ref isFull))
                throw new StorageFullException(path);
        };
        var applied = 0;
        while (await TryApply()) Assert.True(++applied < CallsMax, "no chunk waited for a flush");
        Volatile.Write(ref isFull, false);
        Assert.True(await TryApply());
        AssertAppliedInOrder(engine, applied + 1);

        async Task<bool> TryApply()
        {
            try
            {
                await engine.ApplyChunkAsync(Chunk(engine.LastApplied.Index + 1)).AsTask().WaitAsync(Waiting.Patience);
                return true;
            }
            catch (StorageFullException)
            {
                return false;
            }
        }
    }

    [Theory]
    [InlineData(Durability.Power, false)]
    [InlineData(Durability.Power, true)]
    [InlineData(Durability.Process, false)]
    [InlineData(Durability.Process, true)]
    public async Task ManyCallersShareSyncsAndAllComplete(Durability durability, bool isClosedMeanwhile)
    {
        const int Callers = 16, Calls = 40;
        var options = Options with { Durability = durability };
        var engine = _database.Open(options);
        var order = new Lock();
        var all = Enumerable.Range(0, Callers).Select(caller => Task.Run(async () =>
        {
            for (var i = 0; i < Calls; i++)
            {
                Task<ApplyResult[]> apply;
                lock (order)
                {
                    apply = engine.ApplyChunkAsync(Chunk(_next)).AsTask();
                    _applies.Add(apply);
                    _next += Entries;
                }

                if (isClosedMeanwhile && _next > Callers * Calls * Entries / 2)
                    _ = Task.Run(() => engine.CloseStorage());
                await apply;
            }
        })).ToArray();
        await Task.WhenAll(all).WaitAsync(Waiting.Patience).ContinueWith(_ => { }, TaskScheduler.Default);
        Assert.All(all, caller => Assert.True(caller.IsCompleted, "a caller waits for ever"));
        var applied = _applies.TakeWhile(apply => apply.IsCompletedSuccessfully).Count();
        if (!isClosedMeanwhile)
        {
            Assert.Equal(Callers * Calls, applied);
            if (durability == Durability.Power)
                Assert.InRange(engine.GetStatistics().Syncs, 1, Callers * Calls / 2);
        }

        engine.Dispose();
        Assert.All(
            _applies.Skip(applied),
            apply => Assert.IsType<ObjectDisposedException>(apply.Exception!.InnerException));
        using var again = _database.Open(options);
        AssertAppliedInOrder(again, applied);
    }

    private static ApplyEntry[] Chunk(ulong first)
    {
        var chunk = new ApplyEntry[Entries];
        for (var i = 0; i < Entries; i++)
        {
            var index = first + (ulong)i;
            chunk[i] = new ApplyEntry(index, 1, Command.Insert(BitConverter.GetBytes(index % 50), Value(index)));
        }

        return chunk;
    }

    private static byte[] Value(ulong index)
    {
        var value = new byte[ValueBytes];
        BitConverter.TryWriteBytes(value, index);
        return value;
    }

    /// <summary>The first chunks, as many as given, and no others.</summary>
    private static void AssertAppliedInOrder(LsmStateMachine engine, int chunks)
    {
        var last = (ulong)(chunks * Entries);
        Assert.Equal(last, engine.LastApplied.Index);
        for (var index = last; index > 0 && index + 50 > last; index--)
            Assert.Equal(Value(index), engine.Get(BitConverter.GetBytes(index % 50)));
    }

    /// <summary>The next flush waits for <see cref="_mayGoOn"/> when it makes its table.</summary>
    private void HoldFlushes() => _storage.Before = (operation, path) =>
    {
        if (operation == "create" && path.Contains(FileNames.TableSuffix, StringComparison.Ordinal)) _mayGoOn.Wait();
    };

    /// <summary>
    /// Applies, without awaiting, until a chunk has to wait, and then some more. On another thread: one that is blocked
    /// fails the test.
    /// </summary>
    private Task ApplyUntilQueued(LsmStateMachine engine, int more, Func<bool> isQueued, Action? begins = null) =>
        Task.Run(() =>
        {
            begins?.Invoke();
            for (var calls = 0; !isQueued(); calls++)
            {
                Assert.True(calls < CallsMax, "no chunk had to wait");
                ApplyNext(engine);
            }

            for (var i = 0; i < more; i++) ApplyNext(engine);
        }).WaitAsync(Waiting.Patience);

    private void ApplyNext(LsmStateMachine engine)
    {
        _applies.Add(engine.ApplyChunkAsync(Chunk(_next)).AsTask());
        _next += Entries;
    }
}
