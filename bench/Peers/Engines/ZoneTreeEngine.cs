using System.Buffers.Binary;
using ZoneTree;
using ZoneTree.Comparers;
using ZoneTree.Options;
using ZoneTree.Serializers;

namespace Varve.Bench.Peers.Engines;

/// <summary>ZoneTree, the managed peer. It has no atomic batch over keys short of its MVCC layer, which is several times slower; so its chunks are not atomic.</summary>
internal sealed class ZoneTreeEngine : IBenchEngine
{
    private static readonly Memory<byte> s_appliedKey = new byte[] { 0 };

    private IZoneTree<Memory<byte>, Memory<byte>>? _tree;
    private IMaintainer? _maintainer;

    public string Name => "zonetree";

    public IReadOnlyList<string> Notes =>
    [
        "NOT atomic: one Upsert an entry, then one for the applied index, as the plain tree has no batch",
        "asynchronous WAL (AsyncCompressed): an acknowledged chunk may be lost when the process dies, which the other engines' are not",
        "Memory<byte> keys and values, no compression of disk segments, mutable segment of 1,000,000 entries, its own maintainer for merges",
        "no durable rows: no mode promises that a commit survives power loss",
        "settled: memory evicted to disk, merges awaited",
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
            .SetLogLevel(ZoneTree.Logger.LogLevel.Error)
            .ConfigureWriteAheadLogOptions(o => o.WriteAheadLogMode = WriteAheadLogMode.AsyncCompressed)
            .ConfigureDiskSegmentOptions(o => o.CompressionMethod = CompressionMethod.None)
            .OpenOrCreate();
        _maintainer = _tree.CreateMaintainer();
    }

    public PreparedChunks Prepare(EntrySource source, long first, int count, int chunkEntries) =>
        new Chunks(Tree, source, first, count, chunkEntries);

    public IBenchReader OpenReader() => new Reader(Tree);

    public void Settle()
    {
        _maintainer!.EvictToDisk();
        _maintainer.WaitForBackgroundThreads();
    }

    public void Checkpoint(string directory) => throw new NotSupportedException("its live backup is a scheduled service, not a checkpoint");

    public void Dispose()
    {
        _maintainer?.TryCancelBackgroundThreads();
        _maintainer?.Dispose();
        _tree?.Dispose();
        _tree = null;
    }

    /// <summary>The tree keeps the memory it is given until it is on disk: slices of large arrays, made beforehand.</summary>
    private sealed class Chunks : PreparedChunks
    {
        private const int EntriesPerBlock = 1 << 16;
        private readonly IZoneTree<Memory<byte>, Memory<byte>> _tree;
        private readonly byte[][] _blocks;
        private readonly int _keyBytes;
        private readonly int _stride;
        private readonly int _entries;
        private readonly int _chunkEntries;
        private readonly long _first;

        public Chunks(IZoneTree<Memory<byte>, Memory<byte>> tree, EntrySource source, long first, int count, int chunkEntries)
        {
            (_tree, _entries, _chunkEntries, _first) = (tree, count, chunkEntries, first);
            _keyBytes = source.KeyBytes;
            _stride = source.KeyBytes + source.ValueBytes;
            _blocks = new byte[(count + EntriesPerBlock - 1) / EntriesPerBlock][];
            for (var b = 0; b < _blocks.Length; b++) _blocks[b] = GC.AllocateUninitializedArray<byte>(EntriesPerBlock * _stride);
            for (var i = 0; i < count; i++)
            {
                var entry = Entry(i).Span;
                source.WriteKey(first + i, entry[.._keyBytes]);
                source.WriteValue(first + i, entry[_keyBytes..]);
            }
        }

        public override int Count => (_entries + _chunkEntries - 1) / _chunkEntries;

        public override void Apply(int chunk)
        {
            var from = chunk * _chunkEntries;
            var to = Math.Min(from + _chunkEntries, _entries);
            for (var i = from; i < to; i++)
            {
                var entry = Entry(i);
                var key = entry[.._keyBytes];
                var value = entry[_keyBytes..];
                _tree.Upsert(in key, in value);
            }

            Memory<byte> applied = new byte[16];
            BinaryPrimitives.WriteInt64LittleEndian(applied.Span, _first + to);
            _tree.Upsert(in s_appliedKey, in applied);
        }

        public override void Dispose() { }

        private Memory<byte> Entry(int i) => _blocks[i / EntriesPerBlock].AsMemory(i % EntriesPerBlock * _stride, _stride);
    }

    private sealed class Reader(IZoneTree<Memory<byte>, Memory<byte>> tree) : IBenchReader
    {
        private readonly byte[] _key = new byte[16];

        public int Get(ReadOnlySpan<byte> key, Span<byte> destination)
        {
            key.CopyTo(_key);
            var wanted = _key.AsMemory(0, key.Length);
            if (!tree.TryGet(in wanted, out var value)) return -1;
            value.Span.CopyTo(destination);
            return value.Length;
        }

        public long ScanPrefix(ReadOnlySpan<byte> prefix, ref ulong seen)
        {
            using var iterator = tree.CreateIterator(IteratorType.NoRefresh, false, true);
            prefix.CopyTo(_key);
            var from = _key.AsMemory(0, prefix.Length);
            iterator.Seek(in from);
            long count = 0;
            while (iterator.Next() && iterator.CurrentKey.Span.StartsWith(prefix))
            {
                Visit.Entry(ref seen, iterator.CurrentKey.Span, iterator.CurrentValue.Span);
                count++;
            }

            return count;
        }

        public long ScanAll(ref ulong seen)
        {
            using var iterator = tree.CreateIterator(IteratorType.NoRefresh, false, true);
            long count = 0;
            while (iterator.Next())
            {
                Visit.Entry(ref seen, iterator.CurrentKey.Span, iterator.CurrentValue.Span);
                count++;
            }

            return count;
        }

        public void Dispose() { }
    }
}
