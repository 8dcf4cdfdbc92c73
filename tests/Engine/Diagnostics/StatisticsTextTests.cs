using Xunit;

namespace Varve.Tests.Engine.Diagnostics;

/// <summary>The text of the statistics is for people: groups in lines, names in a column, values with units.</summary>
public sealed class StatisticsTextTests
{
    [Fact]
    public void TextHasGroupsColumnsAndUnits()
    {
        var statistics = new EngineStatistics
        {
            Name = "orders",
            LastApplied = new LogId(1_234_567, 3),
            DurableLogId = new LogId(1_234_000, 3),
            EntriesApplied = 1_234_567,
            ChunksApplied = 12_346,
            Operations = new OperationCounts { Inserts = 1_000_000, Deletes = 234_567 },
            WalBytes = 100L << 20,
            FlushBytes = 50L << 20,
            CompactionBytes = 150L << 20,
            Flushes = 2,
            FlushTime = TimeSpan.FromSeconds(1.5),
            Syncs = 1,
            SyncTime = TimeSpan.FromMilliseconds(12.3456),
            StallTime = TimeSpan.FromHours(30),
            Memtables = 1,
            MemtableBytes = 64L << 20,
            MemoryBytes = 70L << 20,
            MemoryBudgetBytes = 4L << 30,
            Disk = new DiskUsage { Log = 64L << 20, Tables = 120L << 20, Manifest = 65_536 },
            FreeDiskBytes = 5L << 30,
            RecoveryTime = TimeSpan.FromMilliseconds(80),
            Runs = [new RunStatistics(1, 1000, 20L << 20), new RunStatistics(2, 10_000, 100L << 20)],
        };
        Assert.Equal(
            """
            database      orders
            position      applied 1234567 (term 3), durable 1234000, lag 567 entries
            recovered     0 entries in 80 ms, torn tail 0 B
            leases        0
            views         0 open, the oldest for 0 ms, pins 0 B
            changes       0 readers, the slowest 0 entries behind
            applied       1,234,567 entries in 12,346 chunks
            commands      insert 1,000,000, delete 234,567, swap 0, conditional delete 0, renew 0, none 0, refused 0
            written       log 100 MiB, flushes 50 MiB, compactions 150 MiB, manifest 0 B, snapshots 0 B
            amplified     3.00 bytes written for each byte logged
            work          2 flushes in 1.5 s, 0 compactions in 0 ms, 1 syncs in 12.346 ms
            snapshots     0 made in 0 ms, 0 installed in 0 ms
            stalls        0 for a flush, 0 pauses, 0 for a segment; 1.06:00:00 in all
            memory        70 MiB of 4 GiB: 1 memtables of 64 MiB, index 0 B, chunks 0 B
            disk          184.1 MiB: log 64 MiB, tables 120 MiB, history 0 B, spare 0 B, manifest 64 KiB; free 5 GiB
            run 0         1 tables, 1,000 rows, 20 MiB
            run 1         2 tables, 10,000 rows, 100 MiB, bottom
            """.ReplaceLineEndings("\n"),
            statistics.ToString());
    }

    [Fact]
    public void FaultAndUnknownSpaceAreSaid()
    {
        var text = new EngineStatistics { Fault = "the disk is gone" }.ToString();
        Assert.Contains("\nlatched       the disk is gone\n", text, StringComparison.Ordinal);
        Assert.Contains("; free unknown", text, StringComparison.Ordinal);
    }
}
