using Varve.Background;
using Varve.Storage;
using Xunit;

namespace Varve.Tests.Engine.Recovery;

/// <summary>A resource of the disk or of the system that is scarce, and then there is enough again.</summary>
internal static class ResourceShortage
{
    private const int ChunksMax = 200;
    private const int Entries = 40;

    /// <summary>
    /// Applies until the resource is missing, then lets the engine have it, several times. Nothing that was
    /// acknowledged is lost, nothing latches, and no file is left behind; nor is anything lost by a reopening.
    /// </summary>
    public static async Task Cycle(Database database, IStorage storage, int times, Action<bool> setScarce)
    {
        int tables;
        using (var machine = database.Open(Database.Small with { SealedMemtablesMax = 1 }, new EngineSeams(storage)))
        {
            for (var cycle = 0; cycle < times; cycle++)
            {
                setScarce(true);
                ApplyUntilMet(machine);
                var acknowledged = machine.LastApplied.Index;
                Assert.Equal(acknowledged, NumberedLog.AssertIsWholeToRead(machine));
                setScarce(false);
                Assert.True(
                    SpinWait.SpinUntil(() => TryApply(machine) is null, TimeSpan.FromSeconds(30)),
                    "the engine did not go on");
                Assert.Equal(acknowledged + Entries, machine.LastApplied.Index);
                Assert.Null(machine.GetStatistics().Fault);
            }

            NumberedLog.AssertIsWhole(machine);
            await machine.CompactAsync();
            tables = machine.GetStatistics().Runs.Sum(run => run.Tables);
        }

        Assert.Equal(tables, database.Files(FileNames.TableSuffix).Length);
        Assert.Empty(database.Files(FileNames.TemporarySuffix));
        using var recovered = database.Open();
        NumberedLog.AssertIsWhole(recovered);
    }

    /// <summary>Applies until the shortage occurs. The chunk that it stopped changed nothing.</summary>
    public static void ApplyUntilMet(LsmStateMachine machine)
    {
        for (var chunk = 0; chunk < ChunksMax; chunk++)
        {
            var before = machine.LastApplied.Index;
            if (TryApply(machine) is null) continue;
            Assert.Equal(before, machine.LastApplied.Index);
            return;
        }

        Assert.Fail($"a resource is scarce, and {ChunksMax} chunks did without it");
    }

    /// <summary>The shortage that kept a chunk from being applied; null: it was applied.</summary>
    private static IOException? TryApply(LsmStateMachine machine)
    {
        try
        {
            machine.ApplyChunk(NumberedLog.Chunk(machine.LastApplied.Index + 1, Entries), new ApplyResult[Entries]);
            return null;
        }
        catch (IOException e) when (Shortage.IsMet(e))
        {
            return e;
        }
    }
}
