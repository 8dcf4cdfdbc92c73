using FsCheck.Xunit;
using Microsoft.Extensions.Time.Testing;
using Varve.Tests.Engine.Recovery;
using Xunit;

namespace Varve.Tests.Engine.LiveKeys;

/// <summary>
/// The count is that of the keys that a scan shows, whatever was flushed, merged, expired, cleaned up or reopened
/// before.
/// </summary>
public class LiveKeyCounterTests
{
    [Property(MaxTest = 30)]
    public void CountMatchesFullCount(int seed) => Run(seed, LeaseClock.Local);

    [Property(MaxTest = 30)]
    public void CountMatchesFullCountByLogClock(int seed) => Run(seed, LeaseClock.Log);

    private static void Run(int seed, LeaseClock leases)
    {
        var random = new Random(seed);
        var clock = new FakeTimeProvider(DateTimeOffset.FromUnixTimeMilliseconds(1_700_000_000_000));
        var options = Database.Small with { LeaseClock = leases, TimeProvider = clock };
        using var database = new Database();
        var machine = database.Open(options);
        try
        {
            var model = new Dictionary<int, ulong>();
            var logTime = 0UL;
            for (var step = 0; step < 60; step++)
            {
                switch (random.Next(10))
                {
                    case 0:
                        machine.CompactAsync().GetAwaiter().GetResult();
                        break;
                    case 1:
                        clock.Advance(TimeSpan.FromSeconds(random.Next(1, 30)));
                        break;
                    case 2:
                        machine.LeaseBackgroundCleanupAsync().GetAwaiter().GetResult();
                        break;
                    case 3 when random.Next(3) == 0:
                        machine.Dispose();
                        machine = database.Open(options);
                        break;
                    default:
                        Apply(machine, random, model, leases, clock, ref logTime);
                        break;
                }

                if (random.Next(3) != 0) continue; // some steps go by uncounted, so that more is folded at once
                var now = leases == LeaseClock.Log ? logTime : Now(clock);
                Assert.Equal(model.Values.Count(deadline => now < deadline), machine.Count);
                Assert.Equal(machine.Count, machine.ScanPrefix([]).Entries.Count);
            }
        }
        finally
        {
            machine.Dispose();
        }
    }

    private static void Apply(
        LsmStateMachine machine, Random random, Dictionary<int, ulong> model, LeaseClock leases, FakeTimeProvider clock,
        ref ulong logTime)
    {
        var first = machine.LastApplied.Index + 1;
        var chunk = new ApplyEntry[random.Next(1, 60)];
        for (var i = 0; i < chunk.Length; i++)
        {
            var stamp = random.Next(2) == 0 ? 0 : Now(clock) + (ulong)random.Next(5000);
            logTime = Math.Max(logTime, stamp);
            var now = leases == LeaseClock.Log ? logTime : Now(clock);
            var number = random.Next(80);
            var key = new[] { (byte)'k', (byte)number };
            var isLive = model.TryGetValue(number, out var deadline) && now < deadline;
            Command command;
            switch (random.Next(5))
            {
                case 0:
                    command = Command.Delete(key);
                    model.Remove(number);
                    break;
                case 1:
                    command = Command.CompareAndSwap(key, null, new byte[random.Next(400)]);
                    if (!isLive) model[number] = ulong.MaxValue;
                    break;
                case 2:
                    command = Command.Insert(key, new byte[random.Next(400)]);
                    model[number] = ulong.MaxValue;
                    break;
                default:
                    var ttl = (ulong)random.Next(1, 40);
                    command = Command.Insert(key, new byte[random.Next(400)], ttl);
                    model[number] = now + (ttl * 1000);
                    break;
            }

            chunk[i] = new ApplyEntry(first + (ulong)i, 1, command, stamp);
        }

        machine.ApplyChunk(chunk, new ApplyResult[chunk.Length]);
    }

    private static ulong Now(FakeTimeProvider clock) => (ulong)clock.GetUtcNow().ToUnixTimeMilliseconds();
}
