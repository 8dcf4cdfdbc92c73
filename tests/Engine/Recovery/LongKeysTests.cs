using System.Buffers.Binary;
using Varve.Format;
using Varve.Storage;
using Xunit;

namespace Varve.Tests.Engine.Recovery;

/// <summary>
/// Keys of the greatest length, which differ at their first bytes or only at their last: manifests and snapshots cost
/// what they cost with short ones.
/// </summary>
public sealed class LongKeysTests : IDisposable
{
    private const int Count = 60;

    private readonly Database _database = new();
    private readonly Database _other = new();

    public void Dispose()
    {
        _database.Dispose();
        _other.Dispose();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(60)]
    [InlineData(WalOperation.KeyLengthMax - 8)]
    public async Task ManifestDoesNotGrowWithKeyLength(int differsAt)
    {
        var options = Database.Small with { MemtableBytes = 1 << 20 };
        var path = Path.Combine(_database.Root, "snapshot");
        using (var machine = _database.Open(options))
        {
            var results = new ApplyResult[1];
            for (ulong i = 1; i <= Count; i++)
                machine.ApplyChunk(
                    [new ApplyEntry(i, 1, Command.Insert(Key(i * 7919 % Count), BitConverter.GetBytes(i)))], results);
            await machine.CompactAsync();
            var tables = machine.GetStatistics().Runs.Sum(run => run.Tables);
            Assert.True(tables > 10);
            var before = machine.GetStatistics().ManifestBytes;
            machine.ApplyChunk(
                [new ApplyEntry(Count + 1, 1, Command.Insert(Key(0), BitConverter.GetBytes(99UL)))], results);
            await machine.CompactAsync();
            Assert.InRange(machine.GetStatistics().ManifestBytes - before, 1, 1000 + (tables * 400));
            AssertAll(machine);

            var checksum = await machine.GenerateSnapshotDataAsync(path, machine.LastApplied);
            Assert.InRange(new FileInfo(Path.Combine(path, SnapshotNames.Manifest)).Length, 1, 1000 + (tables * 300));
            using var receiver = _other.Open(options);
            await receiver.ApplySnapshotFromFileAsync(new SnapshotMetadata(machine.LastApplied, checksum), path);
            AssertAll(receiver);
        }

        foreach (var place in (Database[])[_database, _other])
        {
            using var again = place.Open(options);
            AssertAll(again);
            await again.CompactAsync();
            AssertAll(again);
        }

        Assert.Empty(Varve.Inspection.Verification.Check(Storages.Default, _database.Directory, deep: true));

        byte[] Key(ulong number)
        {
            var key = new byte[WalOperation.KeyLengthMax];
            BinaryPrimitives.WriteUInt64BigEndian(key.AsSpan(differsAt), number);
            return key;
        }

        void AssertAll(LsmStateMachine machine)
        {
            Assert.Equal(Count, machine.Count);
            for (ulong i = 0; i < Count; i++) Assert.NotNull(machine.Get(Key(i)));
            Assert.Equal(99UL, BitConverter.ToUInt64(machine.Get(Key(0))));
            var last = 0;
            foreach (var entry in machine.ScanPrefix(default).Entries)
                Assert.True(entry.Key.Span.SequenceEqual(Key((ulong)last++)));
            Assert.Equal(Count, last);
        }
    }
}
