using System.Buffers.Binary;
using Varve.Background;
using Varve.Storage;
using Varve.Tests.Engine.Recovery;
using Xunit;

namespace Varve.Tests.Tables;

/// <summary>
/// An engine whose tables are never in memory unless it has seen to it answers as ever, through flushes, merges and
/// openings.
/// </summary>
public sealed class ProbedEngineTests : IDisposable
{
    private const int Keys = 1_500;
    private readonly Database _database = new();
    private readonly ColdStorage _cold = new(Storages.Default);
    private readonly ManualScheduler _steps = new();

    private EngineOptions Probed => Database.Small with { TableAccess = TableAccess.Probed };

    private EngineSeams Seams => new(_cold, _steps);

    public void Dispose() => _database.Dispose();

    [Theory]
    [InlineData(1, 2)]
    [InlineData(2, 3)]
    [InlineData(3, 8)]
    public async Task ColdDatabaseMatchesModel(int seed, int upperRuns)
    {
        var random = new Random(seed);
        var model = new SortedDictionary<byte[], byte[]>(KeyOrder.Instance);
        using (var machine = _database.Open(Probed with { UpperRunsMax = upperRuns }, Seams))
        {
            for (var round = 0; round < 15; round++)
            {
                Apply(machine, model, random);
                _steps.Run();
                Check(machine, model, random);
            }

            Assert.True(machine.GetStatistics().Compactions > 0 || upperRuns == 8);
            var compaction = machine.CompactAsync();
            _steps.Run();
            await compaction;
            Check(machine, model, random);
        }

        using var reopened = _database.Open(Probed, Seams);
        Check(reopened, model, random);
        Assert.Contains(_cold.Calls, call => call.IsRead);
    }

    [Fact]
    public async Task SnapshotOfColdDatabaseIsInstalledCold()
    {
        var snapshot = Path.Combine(_database.Root, "snapshot");
        using var machine = _database.Open(Probed, Seams);
        while (machine.GetStatistics().Runs.Count < 2)
        {
            NumberedLog.ApplyUpTo(machine, machine.LastApplied.Index + 100);
            _steps.Run();
        }

        _cold.Evict();
        var metadata = new SnapshotMetadata(
            machine.LastApplied, await machine.GenerateSnapshotDataAsync(snapshot, machine.LastApplied));
        using var other = new Database();
        using var installed = other.Open(Probed, new EngineSeams(_cold, new ManualScheduler()));
        await installed.ApplySnapshotFromFileAsync(metadata, snapshot);
        _cold.Evict();
        Assert.Equal(metadata.LastIncluded.Index, NumberedLog.AssertIsWholeToRead(installed));
    }

    [Fact]
    public async Task GetsOnRealStorageAllocateNothing()
    {
        using var machine = _database.Open(Database.Small with { TableAccess = TableAccess.Probed });
        NumberedLog.ApplyUpTo(machine, 2_000);
        await machine.CompactAsync();
        Assert.Equal(2_000UL, NumberedLog.AssertIsWholeToRead(machine));
        byte[] room = new byte[4096], key = machine.ScanPrefix([]).Entries[0].Key.ToArray();
        Assert.True(machine.Read(key, room) >= 0);
        for (var i = 0; i < 300; i++)
            machine.Read(key, room);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 300; i++)
            machine.Read(key, room);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    private static byte[] Key(int number)
    {
        var key = new byte[6];
        BinaryPrimitives.WriteInt32BigEndian(key.AsSpan(2), number);
        return key;
    }

    private static void Apply(LsmStateMachine machine, SortedDictionary<byte[], byte[]> model, Random random)
    {
        var next = machine.LastApplied.Index + 1;
        var chunk = new ApplyEntry[200];
        var results = new ApplyResult[chunk.Length];
        for (var i = 0; i < chunk.Length; i++)
        {
            byte[] key = Key(random.Next(Keys)), value = new byte[random.Next(400)];
            random.NextBytes(value);
            ReadOnlyMemory<byte>? expected =
                model.TryGetValue(key, out byte[]? old) ? (ReadOnlyMemory<byte>?)old : null;
            var command = random.Next(10) switch
            {
                0 => Command.Delete(key),
                < 3 => Command.CompareAndSwap(key, expected, value),
                _ => Command.Insert(key, value),
            };
            if (command.Kind == CommandKind.Delete)
                model.Remove(key);
            else
                model[key] = value;
            chunk[i] = new ApplyEntry(next + (ulong)i, 1, command);
        }

        machine.ApplyChunk(chunk, results);
        Assert.All(results, result => Assert.True(result.Succeeded));
    }

    private void Check(LsmStateMachine machine, SortedDictionary<byte[], byte[]> model, Random random)
    {
        Assert.Equal(model.Count, machine.Count);
        ReadOnlyMemory<byte>[] keys = [.. Enumerable.Range(0, 150).Select(
            _ => (ReadOnlyMemory<byte>)Key(random.Next(Keys + 50)))];
        _cold.Evict();
        var found = machine.GetMulti(keys);
        for (var i = 0; i < keys.Length; i++)
        {
            _cold.Evict();
            Assert.Equal(model.GetValueOrDefault(keys[i].ToArray()), machine.Get(keys[i].Span));
            Assert.Equal(model.GetValueOrDefault(keys[i].ToArray()), found[i]);
        }

        for (var i = 0; i < 20; i++)
        {
            int first = random.Next(Keys), end = first + random.Next(1, 300);
            var expected = model.Where(pair => BinaryPrimitives.ReadInt32BigEndian(pair.Key.AsSpan(2)) is var at
                && at >= first && at < end).Select(Text).ToList();
            Assert.Equal(expected, Scan(machine, Key(first), Key(end), backward: false));
            expected.Reverse();
            Assert.Equal(expected, Scan(machine, Key(first), Key(end), backward: true));
        }

        Assert.Equal(model.Select(Text), Scan(machine, [], [], backward: false));
    }

    private static string Text(KeyValuePair<byte[], byte[]> row) =>
        $"{Convert.ToHexString(row.Key)} {Convert.ToHexString(row.Value)}";

    private List<string> Scan(LsmStateMachine machine, byte[] from, byte[] to, bool backward)
    {
        _cold.Evict();
        var rows = new List<string>();
        using var view = machine.OpenView();
        var scan = view.ScanRange(from, to);
        foreach (var entry in backward ? scan.Reversed() : scan)
            rows.Add(Text(new(entry.Key.ToArray(), entry.Value.ToArray())));
        return rows;
    }
}
