using System.Text;

namespace Varve.Tests.Conformance.Surface;

/// <summary>Promises of the engine beyond the state-machine contract.</summary>
public sealed class EngineTests : MachineTest<EngineMachines>
{
    private LsmStateMachine Engine => (LsmStateMachine)Machine;

    [Fact]
    public async Task SecondEngineOnDirectoryIsRefused()
    {
        await ApplyAsync(Put(1, "a", "1"));
        Assert.Throws<AlreadyOpenException>(() => Open("db"));
        Assert.Equal("1", Get("a"));
        await ReopenAsync();
        Assert.Equal("1", Get("a"));
    }

    [Fact]
    public async Task ReadOnlyEngineReadsAndRefusesEveryChange()
    {
        await ApplyAsync(Put(1, "a", "1"));
        Engine.Flush();
        await ApplyAsync(Put(2, "b", "2"));
        await ReopenAsync(Options with { ReadOnly = true });
        Assert.Equal("a=1 b=2", Scan());
        Assert.Equal(new LogId(2, 1), Machine.LastApplied);
        await Assert.ThrowsAsync<InvalidOperationException>(
            async () => await Machine.ApplyChunkAsync(new[] { Noop(3) }));
        await Assert.ThrowsAsync<InvalidOperationException>(() => Machine.ResetAsync());
        Assert.Throws<InvalidOperationException>(() => Machine.PersistLastApplied(new LogId(9, 1)));
        await Assert.ThrowsAsync<InvalidOperationException>(
            () => Machine.ApplySnapshotFromFileAsync(
                new SnapshotMetadata(new LogId(9, 1), new byte[32]), PathOf("none")));
        Assert.Equal("a=1 b=2", Scan());
    }

    [Fact]
    public async Task ReadOnlyEngineOpensBesideWriter()
    {
        await ApplyAsync(Put(1, "a", "1"));
        var reader = Open("db", Options with { ReadOnly = true });
        Assert.Equal("a=1", ScanOf(reader));
        await ApplyAsync(Put(2, "a", "2"));
        Assert.Equal("a=2", Scan());
    }

    [Theory]
    [InlineData("MemtableBytes")]
    [InlineData("HistoryEntries")]
    [InlineData("BlockBytes")]
    [InlineData("IdleAfter")]
    [InlineData("MemoryBudgetBytes")]
    [InlineData("UpperRunsMax")]
    [InlineData("TableAccess")]
    public void OutOfRangeOptionIsNamed(string name)
    {
        var options = name switch
        {
            "MemtableBytes" => Options with { MemtableBytes = 1 },
            "HistoryEntries" => Options with { HistoryEntries = -1 },
            "BlockBytes" => Options with { BlockBytes = 3 },
            "IdleAfter" => Options with { IdleAfter = TimeSpan.Zero },
            "TableAccess" => Options with { TableAccess = (TableAccess)7 },
            "MemoryBudgetBytes" => Options with { MemoryBudgetBytes = 1 },
            _ => Options with { UpperRunsMax = 0 },
        };
        Assert.Contains(name, Assert.ThrowsAny<ArgumentException>(() => Open("db", options)).Message);
    }

    [Fact]
    public async Task DurableIndexEqualsAppliedAfterFlushAndUnderPower()
    {
        await ApplyAsync(Put(1, "a", "1"), Put(2, "a", "2", term: 3));
        Engine.Flush();
        Assert.Equal(new LogId(2, 3), Engine.DurableLogId);
        await using var power = LsmStateMachine.Open(PathOf("power"), Options with { Durability = Durability.Power });
        await power.ApplyChunkAsync(new[] { Put(1, "a", "1") });
        Assert.Equal(new LogId(1, 1), power.DurableLogId);
        await power.ApplyChunkAsync(new[] { Put(2, "a", "1") });
        Assert.Equal(new LogId(2, 1), power.DurableLogId);
    }

    [Fact]
    public void FilesAreAccessibleToOwnerOnly()
    {
        if (OperatingSystem.IsWindows()) return;
        _ = Machine;
        const UnixFileMode others = (UnixFileMode)0b000_111_111;
        Assert.Equal(default, File.GetUnixFileMode(PathOf("db")) & others);
        foreach (var file in Directory.GetFiles(PathOf("db")))
            Assert.Equal(default, File.GetUnixFileMode(file) & others);
    }

    [Fact]
    public void ViewStaysAtItsRevisionThroughChanges()
    {
        Span<ApplyResult> results = new ApplyResult[500];
        Engine.ApplyChunk([Put(1, "a", "1"), Put(2, "b", "2")], results);
        using var view = Engine.OpenView();
        Engine.ApplyChunk([Put(3, "a", "3"), Delete(4, "b"), Put(5, "c", "5")], results);
        Verify(view);
        Engine.Flush();
        Verify(view);
        Wait(Engine.CompactAsync());
        Verify(view);
        Wait(Engine.ResetAsync());
        Verify(view);

        static void Verify(ReadView view)
        {
            Assert.Equal(2UL, view.Revision);
            Assert.True(view.TryGet("a"u8, out var value));
            Assert.Equal("1", Encoding.UTF8.GetString(value));
            Assert.False(view.TryGet("c"u8, out _));
            var seen = new StringBuilder();
            foreach (var entry in view.ScanPrefix([]))
                seen.Append(Encoding.UTF8.GetString(entry.Key)).Append(Encoding.UTF8.GetString(entry.Value));
            foreach (var entry in view.ScanPrefix([]).Reversed())
                seen.Append(Encoding.UTF8.GetString(entry.Key)).Append(Encoding.UTF8.GetString(entry.Value));
            Assert.Equal("a1b2b2a1", seen.ToString());
        }
    }

    /// <summary>A view stays on its thread, so this test cannot await.</summary>
    private static void Wait(Task task) => task.GetAwaiter().GetResult();

    [Fact]
    public async Task CompactionLeavesOneRunAndSameState()
    {
        for (ulong index = 1; index <= 200; index++)
        {
            await ApplyAsync(
                index % 3 == 0 ? Delete(index, $"k{index % 17}") : Put(index, $"k{index % 19}", $"{index}"));
            if (index % 50 == 0) await Engine.FlushAsync();
        }
        var before = Scan();
        await Engine.CompactAsync();
        Assert.Equal(before, Scan());
        Assert.InRange(Engine.GetStatistics().Runs.Count, 0, 1);
        await ReopenAsync();
        Assert.Equal(before, Scan());
    }

    [Fact]
    public async Task StatisticsCountAppliedEntries()
    {
        await ApplyAsync(Put(1, "a", "1"), Noop(2));
        await ApplyAsync(Noop(3));
        var statistics = Engine.GetStatistics();
        Assert.Equal(
            (3L, 2L, new LogId(3, 1)), (statistics.EntriesApplied, statistics.ChunksApplied, statistics.LastApplied));
        Assert.Null(statistics.Fault);
    }

    [Fact]
    public async Task InMemoryChunkCompletesSynchronously()
    {
        var apply = Engine.ApplyChunkAsync(new[] { Put(1, "a", "1") });
        Assert.True(apply.IsCompletedSuccessfully);
        await apply;
    }
}
