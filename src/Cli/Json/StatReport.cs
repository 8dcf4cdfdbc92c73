using Varve.Cli.Text;

namespace Varve.Cli.Json;

/// <summary>The position and the sizes of a database.</summary>
internal sealed record StatReport
{
    public required Position LastApplied { get; init; }

    public required Position Durable { get; init; }

    public required long Count { get; init; }

    public Position? Snapshot { get; init; }

    public string? SnapshotChecksum { get; init; }

    /// <summary>The mark of the outer log, in hexadecimal digits.</summary>
    public string? Mark { get; init; }

    public required string Name { get; init; }

    public required ulong DurableLag { get; init; }

    public required long Leases { get; init; }

    public required DiskUsage Disk { get; init; }

    public long? FreeDiskBytes { get; init; }

    public required double RecoveryTime { get; init; }

    public required int Memtables { get; init; }

    public required long MemtableBytes { get; init; }

    public required long MemtableIndexBytes { get; init; }

    public required long MemoryBytes { get; init; }

    public required long ChunkBytes { get; init; }

    public required long RecoveredEntries { get; init; }

    public required long IncompleteTailBytes { get; init; }

    public required RunSize[] Runs { get; init; }

    public string? Fault { get; init; }

    public static StatReport Of(LsmStateMachine engine)
    {
        var statistics = engine.GetStatistics();
        var snapshot = engine.SnapshotMetadata;
        return new StatReport
        {
            LastApplied = Position.Of(statistics.LastApplied),
            Durable = Position.Of(statistics.DurableLogId),
            Count = engine.Count,
            Snapshot = snapshot is null ? null : Position.Of(snapshot.LastIncluded),
            SnapshotChecksum = snapshot is null ? null : Convert.ToHexStringLower(snapshot.Checksum.Span),
            Mark = MarkText.Of(engine),
            Name = statistics.Name,
            DurableLag = statistics.DurableLag,
            Leases = statistics.Leases,
            Disk = statistics.Disk,
            FreeDiskBytes = statistics.FreeDiskBytes,
            RecoveryTime = statistics.RecoveryTime.TotalSeconds,
            Memtables = statistics.Memtables,
            MemtableBytes = statistics.MemtableBytes,
            MemtableIndexBytes = statistics.MemtableIndexBytes,
            MemoryBytes = statistics.MemoryBytes,
            ChunkBytes = statistics.ChunkBytes,
            RecoveredEntries = statistics.RecoveredEntries,
            IncompleteTailBytes = statistics.TornTailBytes,
            Runs = [.. statistics.Runs.Select(run => new RunSize(run.Tables, run.Rows, run.Bytes))],
            Fault = statistics.Fault,
        };
    }
}
