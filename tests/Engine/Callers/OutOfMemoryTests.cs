using Varve.Background;
using Varve.Contract;
using Varve.Storage;
using Varve.Tests.Engine.Recovery;
using Xunit;

namespace Varve.Tests.Engine.Callers;

/// <summary>
/// An apply reserves its memory before its record is finished, so that a shortage is an ordinary error and the chunk
/// can be applied again. An install or a reset reserves its memory before its manifest record. A later failure latches.
/// </summary>
public sealed class OutOfMemoryTests
{
    private const int Chunks = 12;

    [Theory]
    [InlineData(Durability.Process)]
    [InlineData(Durability.Power)]
    public void FailedAllocationLetsChunkBeAppliedAgain(Durability durability)
    {
        var met = new HashSet<Allocation>();
        for (var k = 1; ; k++)
        {
            using var database = new Database();
            var calls = 0;
            Allocation? failed = null;
            var options = Database.Small with
            {
                Durability = durability,
                LogGaps = LogGapPolicy.Allow,
            };
            var seams = new EngineSeams(Allocations: allocation =>
            {
                if (++calls != k) return;
                failed = allocation;
                throw new OutOfMemoryException();
            });
            var applied = 0;
            using (var engine = database.Open(options, seams))
            {
                for (var chunk = 0; chunk < Chunks && failed != Allocation.AfterSeal; chunk++)
                {
                    var before = engine.LastApplied;
                    try
                    {
                        Apply(engine, chunk);
                    }
                    catch (OutOfMemoryException) when (failed is not Allocation.AfterSeal)
                    {
                        Assert.Equal(before, engine.LastApplied);
                        Assert.Null(engine.GetStatistics().Fault);
                        Apply(engine, chunk);
                    }
                    catch (EngineFaultedException e) when (failed is Allocation.AfterSeal)
                    {
                        Assert.IsType<OutOfMemoryException>(e.InnerException);
                        Assert.Equal(before, engine.LastApplied);
                        Assert.Throws<EngineFaultedException>(() => Apply(engine, chunk));
                        Assert.Throws<EngineFaultedException>(() => Apply(engine, chunk + 1));
                    }

                    applied = chunk + 1;
                }

                if (failed is not Allocation.AfterSeal) AssertHolds(engine, applied);
            }

            if (failed is { } where) met.Add(where);
            using var again = database.Open(Database.Small with { LogGaps = LogGapPolicy.Allow });
            AssertHolds(again, applied);
            if (failed is null) break;
        }

        Assert.Equal(Enum.GetValues<Allocation>().Except([Allocation.State]), met.Order());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task InstallOrResetWithoutMemoryLeavesOldStateServing(bool installs)
    {
        var met = new List<Allocation>();
        for (var k = 1; ; k++)
        {
            using var database = new Database();
            var snapshot = Path.Combine(database.Root, "snapshot");
            var metadata = await FailedSyncTests.MakeSnapshot(snapshot, 400);
            var left = 0;
            Allocation? failed = null;
            var seams = new EngineSeams(Allocations: allocation =>
            {
                if (--left != 0) return;
                failed = allocation;
                throw new OutOfMemoryException();
            });
            using (var engine = database.Open(Database.Small, seams))
            {
                NumberedLog.ApplyUpTo(engine, 50);
                await engine.CompactAsync();
                NumberedLog.ApplyUpTo(engine, 60);
                Task Replace() =>
                    installs ? engine.ApplySnapshotFromFileAsync(metadata, snapshot) : engine.ResetAsync();
                left = k;
                var thrown = await Record.ExceptionAsync(Replace);
                left = 0;
                if (failed == Allocation.AfterSeal)
                {
                    Assert.IsType<OutOfMemoryException>(Assert.IsType<EngineFaultedException>(thrown).InnerException);
                    met.Add(Allocation.AfterSeal);
                    break;
                }

                Assert.IsType<OutOfMemoryException>(thrown);
                Assert.Null(engine.GetStatistics().Fault);
                Assert.Equal(60UL, NumberedLog.AssertIsWhole(engine));
                NumberedLog.ApplyUpTo(engine, 70);
                await Replace();
                Assert.Equal(installs ? 400UL : 0UL, engine.LastApplied.Index);
                NumberedLog.ApplyUpTo(engine, engine.LastApplied.Index + 10);
            }

            met.Add(failed!.Value);
            Assert.Single(database.Files(FileNames.SegmentSuffix));
            using var again = database.Open();
            Assert.Equal(installs ? 410UL : 10UL, NumberedLog.AssertIsWhole(again));
        }

        Assert.Equal(2, met.Count(allocation => allocation == Allocation.State));
        Assert.Equal(Allocation.AfterSeal, met[^1]);
    }

    [Fact]
    public async Task InstallThatRunsOutOfMemoryWithinItsRecordLatches()
    {
        using var database = new Database();
        var snapshot = Path.Combine(database.Root, "snapshot");
        var metadata = await FailedSyncTests.MakeSnapshot(snapshot, 400);
        var storage = new FaultInjector(Storages.Default);
        using (var engine = database.Open(Database.Small, new EngineSeams(storage)))
        {
            NumberedLog.ApplyUpTo(engine, 50);
            storage.Before = (operation, path) =>
            {
                if (operation == "sync" && path.EndsWith(FileNames.ManifestSuffix, StringComparison.Ordinal))
                    throw new OutOfMemoryException();
            };
            await Assert.ThrowsAsync<EngineFaultedException>(
                () => engine.ApplySnapshotFromFileAsync(metadata, snapshot));
            storage.Before = null;
            Assert.Throws<EngineFaultedException>(() => NumberedLog.ApplyUpTo(engine, 60));
        }

        using var again = database.Open();
        Assert.Contains(NumberedLog.AssertIsWhole(again), (ulong[])[50, 400]);
    }

    private static void Apply(LsmStateMachine engine, int chunk)
    {
        var entries = EntriesOf(chunk);
        var results = new ApplyResult[entries.Length];
        engine.ApplyChunk(entries, results);
        Assert.All(results, result => Assert.True(result.Succeeded));
    }

    /// <summary>
    /// Every chunk holds more entries than the one before, with holes between them, each of a term of its own.
    /// </summary>
    private static ApplyEntry[] EntriesOf(int chunk) =>
    [
        .. Enumerable.Range(0, chunk * 40 + 1).Select(i => new ApplyEntry(
            (ulong)(chunk * 1000 + 2 * i + 1), (ulong)(chunk * 1000 + i + 1),
            Command.Insert(BitConverter.GetBytes(chunk * 1000 + i), new byte[12]))),
    ];

    /// <summary>Every entry is there, with its outcome and its term.</summary>
    private static void AssertHolds(LsmStateMachine engine, int chunks)
    {
        var entries = Enumerable.Range(0, chunks).SelectMany(EntriesOf).ToArray();
        Assert.Equal(entries[^1].Index, engine.LastApplied.Index);
        Assert.Equal(entries.Length, engine.Count);
        Assert.Equal(entries.Length, engine.ScanPrefix(default).Entries.Count);
        var result = new ApplyResult[1];
        foreach (var entry in entries)
        {
            engine.ApplyChunk([entry], result);
            Assert.True(result[0].Succeeded);
            Assert.Equal(entry.Term, engine.EntryTerm(entry.Index));
        }
    }
}
