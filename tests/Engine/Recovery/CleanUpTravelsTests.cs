using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Varve.Tests.Engine.Recovery;

/// <summary>
/// A snapshot knows which expired leases were handed out, and passes that on however often it is passed on itself.
/// </summary>
public sealed class CleanUpTravelsTests
{
    [Fact]
    public async Task InstalledMachineReportsNoLeaseTwice()
    {
        var clock = new FakeTimeProvider(DateTimeOffset.FromUnixTimeSeconds(1_700_000_000));
        var options = Database.Small with { LeaseClock = LeaseClock.Local, TimeProvider = clock };
        using var first = new Database();
        SnapshotMetadata metadata;
        var snapshot = Path.Combine(first.Root, "snapshot-0");
        using (var machine = first.Open(options))
        {
            machine.ApplyChunk(
                [new ApplyEntry(1, 1, Command.Insert("leased"u8.ToArray(), "1"u8.ToArray(), ttlSeconds: 1))],
                new ApplyResult[1]);
            clock.Advance(TimeSpan.FromSeconds(2));
            machine.ApplyChunk(
                [new ApplyEntry(2, 1, Command.Insert("plain"u8.ToArray(), "2"u8.ToArray()))], new ApplyResult[1]);
            Assert.Single(await machine.LeaseBackgroundCleanupAsync());
            metadata = new SnapshotMetadata(
                machine.LastApplied, await machine.GenerateSnapshotDataAsync(snapshot, machine.LastApplied));
        }

        for (var hop = 1; hop <= 3; hop++)
        {
            using var other = new Database();
            using var machine = other.Open(options);
            await machine.ApplySnapshotFromFileAsync(metadata, snapshot);
            Assert.Empty(await machine.LeaseBackgroundCleanupAsync());
            snapshot = Path.Combine(first.Root, $"snapshot-{hop}");
            metadata =
                metadata with { Checksum = await machine.GenerateSnapshotDataAsync(snapshot, machine.LastApplied) };
        }
    }
}
