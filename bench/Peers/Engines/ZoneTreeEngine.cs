using ZoneTree;
using ZoneTree.Comparers;
using ZoneTree.Options;
using ZoneTree.Serializers;

namespace Varve.Bench.Peers.Engines;

/// <summary>
/// ZoneTree, the managed peer. It has no atomic batch over keys short of its MVCC layer, which is several times slower;
/// so its chunks are not atomic.
/// </summary>
internal sealed class ZoneTreeEngine : IBenchEngine
{
    private const int MutableEntries = 1_000_000;   // its default

    private IZoneTree<Memory<byte>, Memory<byte>>? _tree;
    private IMaintainer? _maintainer;

    public string Name => "zonetree";

    public bool KeepsAllWhenKilled => false;

    public bool HasCheckpoint => false;

    public IReadOnlyList<string> Notes =>
    [
        "NOT atomic: one Upsert an entry, then one for the applied index, as the plain tree has no batch",
        "asynchronous WAL (AsyncCompressed): an acknowledged chunk may be lost when the process dies, "
            + "which the other engines' are not",
        "Memory<byte> keys and values, no compression of disk segments, mutable segment of 1,000,000 entries, "
            + "its own maintainer for merges",
        "no durable rows: no mode promises that a commit survives power loss; no checkpoint: "
            + "its live backup is a scheduled service",
        "multi-get: a loop of TryGet; in place: TryGet gives the value without a copy; settled: "
            + "memory evicted to disk, merges awaited; count: Count",
    ];

    private IZoneTree<Memory<byte>, Memory<byte>> Tree => _tree!;

    public void Open(string directory, EngineSettings settings)
    {
        if (settings.Durable) throw new NotSupportedException("no durable mode");
        _tree = new ZoneTreeFactory<Memory<byte>, Memory<byte>>()
            .SetComparer(new ByteArrayLexicographicComparerAscending())
            .SetKeySerializer(new ByteArraySerializer())
            .SetValueSerializer(new ByteArraySerializer())
            .SetDataDirectory(directory)
            .SetWriteAheadLogDirectory(directory)
            .DisableDeletion()
            .SetMutableSegmentMaxItemCount(
                (int)(MutableEntries * settings.MemtableBytes / EngineSettings.Usual.MemtableBytes))
            .SetLogLevel(ZoneTree.Logger.LogLevel.Error)
            .ConfigureWriteAheadLogOptions(o => o.WriteAheadLogMode = WriteAheadLogMode.AsyncCompressed)
            .ConfigureDiskSegmentOptions(o => o.CompressionMethod = CompressionMethod.None)
            .OpenOrCreate();
        _maintainer = _tree.CreateMaintainer();
    }

    public PreparedChunks Prepare(IEntries entries, long first, int count, int chunkEntries) =>
        new ZoneTreeChunks(Tree, entries, first, count, chunkEntries);

    public IBenchReader OpenReader() => new ZoneTreeReader(Tree);

    public void Settle()
    {
        _maintainer!.EvictToDisk();
        _maintainer.WaitForBackgroundThreads();
    }

    public void Checkpoint(string directory) =>
        throw new NotSupportedException("its live backup is a scheduled service, not a checkpoint");

    public long Count() => Tree.Count();

    public void Describe(IDictionary<string, double> figures) =>
        figures["memtable_entries"] = Tree.Maintenance.InMemoryRecordCount;

    public void Dispose()
    {
        _maintainer?.TryCancelBackgroundThreads();
        _maintainer?.Dispose();
        _tree?.Dispose();
        (_maintainer, _tree) = (null, null);
    }
}
