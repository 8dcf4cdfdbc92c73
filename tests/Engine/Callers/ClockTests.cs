using Varve.Tests.Engine.Recovery;
using Xunit;

namespace Varve.Tests.Engine.Callers;

/// <summary>
/// The user's clock may throw and may call the engine; it is asked under no lock, and on no thread of the engine's.
/// </summary>
public sealed class ClockTests : IDisposable
{
    private readonly Database _database = new();

    public void Dispose() => _database.Dispose();

    [Fact]
    public async Task CallThatMeetsBrokenClockFailsAloneAndCanBeRetried()
    {
        for (var k = 1; ; k++)
        {
            using var own = new Database();
            var calls = 0;
            var clock = new ActingClock(() =>
            {
                if (++calls == k) throw new TimeZoneNotFoundException("the k-th call");
            });
            using (var engine = own.Open(Database.Small with { TimeProvider = clock }))
            {
                for (ulong index = 1; index <= 5; index++)
                {
                    var entry = new ApplyEntry(index, 1, Command.Insert(
                        BitConverter.GetBytes(index), "v"u8.ToArray(), ttlSeconds: index <= 2 ? 10UL : 1000));
                    await Again(() =>
                    {
                        engine.ApplyChunk([entry], new ApplyResult[1]);
                        return Task.FromResult(0);
                    });
                }

                Assert.Equal(5, await Again(() => Task.FromResult(engine.Count)));
                Assert.NotNull(await Again(() => Task.FromResult(engine.Get(BitConverter.GetBytes(1UL)))));
                Assert.Equal(5, (await Again(() => Task.FromResult(engine.ScanPrefix(default)))).Entries.Count);
                Assert.Equal(2, (await Again(() => Task.FromResult(engine.GetMulti(
                    [BitConverter.GetBytes(1UL), BitConverter.GetBytes(5UL)])))).Count(value => value is not null));
                clock.Now = clock.Now.AddSeconds(20);
                Assert.Equal(2, (await Again(() => engine.LeaseBackgroundCleanupAsync())).Count);
                await Again(async () =>
                {
                    await engine.CompactAsync();
                    return 0;
                });
                Assert.Equal(3, await Again(() => Task.FromResult(engine.Count)));
                Assert.Null(engine.GetStatistics().Fault);
            }

            using var again = own.Open(
                Database.Small with { TimeProvider = new ActingClock(() => { }) { Now = clock.Now } });
            Assert.Equal(3, again.Count);
            if (calls < k) break;
        }

        async Task<T> Again<T>(Func<Task<T>> call)
        {
            try
            {
                return await call();
            }
            catch (InvalidOperationException e)
            {
                Assert.IsType<TimeZoneNotFoundException>(e.InnerException);
                return await call();
            }
        }
    }

    [Fact]
    public async Task ClockIsReadOutsideLocksAndEngineThreads()
    {
        var engine = default(LsmStateMachine);
        var isInside = new ThreadLocal<bool>();
        var threads = new System.Collections.Concurrent.ConcurrentBag<string?>();
        var clock = new ActingClock(() =>
        {
            threads.Add(Thread.CurrentThread.Name);
            if (engine is null || isInside.Value) return;
            // Each of these takes a lock, on another thread.
            var other = Task.Run(async () =>
            {
                isInside.Value = true;
                _ = engine.DurableLogId;
                await engine.LeaseBackgroundCleanupAsync();
                await engine.StartAsync();
                isInside.Value = false;
            });
            Assert.True(other.Wait(TimeSpan.FromSeconds(30)), "A lock is held while the user's clock runs.");
        });
        engine = _database.Open(Database.Small with { TimeProvider = clock });
        using (engine)
        {
            for (ulong index = 1; index <= 500; index++)
                engine.ApplyChunk(
                    [new ApplyEntry(
                        index, 1, Command.Insert(BitConverter.GetBytes(index % 50), new byte[300], ttlSeconds: 5))],
                    new ApplyResult[1]);
            Assert.Equal(50, engine.Count);
            clock.Now = clock.Now.AddSeconds(6);
            await engine.CompactAsync();
            await engine.LeaseBackgroundCleanupAsync();
            Assert.Equal(0, engine.Count);
            Assert.Null(engine.GetStatistics().Fault);
        }

        Assert.NotEmpty(threads);
        Assert.DoesNotContain(threads, name => name?.StartsWith("Varve", StringComparison.Ordinal) == true);
    }

    [Fact]
    public void ApplyFromWithinClockPrecedesOuterApply()
    {
        var engine = default(LsmStateMachine);
        var depth = 1;
        var clock = new ActingClock(() =>
        {
            if (depth++ > 0) return;
            Apply(engine!, engine!.LastApplied.Index + 1, "inner");
        });
        engine = _database.Open(Database.Small with { TimeProvider = clock });
        for (var i = 0; i < 5; i++)
        {
            var next = engine.LastApplied.Index + 1;
            depth = 0;
            Apply(engine, next, "outer"); // the same entry by then: a duplicate
            depth = 0;
            Apply(engine, next + 2, "outer");
        }

        depth = 1;
        Assert.Equal(15UL, engine.LastApplied.Index);
        AssertHolds(engine);
        engine.Dispose();
        using var again = _database.Open();
        AssertHolds(again);

        static void AssertHolds(LsmStateMachine engine)
        {
            Assert.Equal(15, engine.Count);
            Assert.Equal(15, engine.ScanPrefix(default).Entries.Count);
            Assert.Equal(5, engine.ScanPrefix("outer"u8).Entries.Count);
        }

        static void Apply(LsmStateMachine engine, ulong index, string name) =>
            engine.ApplyChunk(
                [new ApplyEntry(index, 1, Command.Insert(System.Text.Encoding.UTF8.GetBytes(name + index), default))],
                new ApplyResult[1]);
    }

    [Fact]
    public void ClockMayDisposeEngine()
    {
        var engine = default(LsmStateMachine);
        engine = _database.Open(Database.Small with { TimeProvider = new ActingClock(() => engine?.Dispose()) });
        Assert.Throws<ObjectDisposedException>(
            () => engine.ApplyChunk([new ApplyEntry(1, 1, Command.Noop)], new ApplyResult[1]));
        using var again = _database.Open();
        Assert.Equal(0UL, again.LastApplied.Index);
    }

    [Fact]
    public void TimerThatCannotBeDisposedLeavesDirectoryUnlocked()
    {
        using (_database.Open(Database.Small with
        {
            Durability = Durability.Interval,
            TimeProvider = new ActingClock(() => { }) { ThrowsAtTimerDisposal = true }
        }))
        {
        }

        using var again = _database.Open();
        Assert.True(again.IsEmpty);
    }
}
