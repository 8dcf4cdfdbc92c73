namespace Varve.Fuzz.Targets;

/// <summary>Every target by its name.</summary>
internal static class Registry
{
    /// <summary>The memory bound of a snapshot manifest: its file, its payload, and its decoded form.</summary>
    private const long SnapshotAllocationMax = FuzzTarget.AllocationMaxPlain + Format.SnapshotManifestCodec.MemoryMax;

    public static IReadOnlyList<FuzzTarget> All { get; } = [.. ((IEnumerable<FuzzTarget>)
    [
        new("chunk", ChunkTarget.Run, ChunkTarget.Seeds),
        new("chunk-frames", ChunkFramesTarget.Run, ChunkFramesTarget.Seeds),
        new("wal-segment", WalSegmentTarget.Run, WalSegmentTarget.Seeds),
        new("wal-record", WalRecordTarget.Run, WalRecordTarget.Seeds),
        new("data-block", DataBlockTarget.Run, DataBlockTarget.Seeds),
        new("table-index", TableIndexTarget.Run, TableIndexTarget.Seeds),
        new("table-filter", TableFilterTarget.Run, TableFilterTarget.Seeds),
        new("table-footer", TableFooterTarget.Run, TableFooterTarget.Seeds),
        new("table-properties", TablePropertiesTarget.Run, TablePropertiesTarget.Seeds),
        new("table-leases", TableLeasesTarget.Run, TableLeasesTarget.Seeds),
        new("table", TableTarget.Run, TableTarget.Seeds),
        new("manifest-log", ManifestLogTarget.Run, ManifestLogTarget.Seeds),
        new("version-edit", VersionEditTarget.Run, VersionEditTarget.Seeds),
        new("machine-state", MachineStateTarget.Run, MachineStateTarget.Seeds),
        new("snapshot-manifest", SnapshotManifestTarget.Run, SnapshotManifestTarget.Seeds)
        {
            AllocationMax = SnapshotAllocationMax
        },
        new("packed-snapshot", PackedSnapshotTarget.Run, PackedSnapshotTarget.Seeds)
        {
            AllocationMax = SnapshotAllocationMax
        },
        new("pack-stream", PackStreamTarget.Run, PackStreamTarget.Seeds)
        {
            AllocationMax = SnapshotAllocationMax
        },
        new("pointer-file", PointerFileTarget.Run, PointerFileTarget.Seeds),
        new("canary", CanaryTarget.Run, CanaryTarget.Seeds) { IsPlanted = true },
    ]).Select(NewerSeeds.Added)];

    public static FuzzTarget? Find(string name) => All.FirstOrDefault(target => target.Name == name);
}
