using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using RocksDbSharp;

namespace Varve.Bench.Peers.Engines;

/// <summary>RocksDB with the settings that suit this work best, its hot calls made straight to the C API.</summary>
internal sealed class RocksEngine : IBenchEngine
{
    /// <summary>Where the applied index is kept, in the same batch as the chunk's entries. Sorts before every other key.</summary>
    private static readonly byte[] s_appliedKey = [0];

    private const int DataBlockBinaryAndHash = 1;

    private RocksDb? _db;
    private WriteOptions? _writeOptions;

    public string Name => "rocksdb";

    public IReadOnlyList<string> Notes =>
    [
        "one WriteBatch a chunk with the applied index under its own key, batch reused, filled through the C API",
        "no compression, full Bloom filter of 10 bits, 4 GiB HyperClock block cache, index and filter blocks outside of it, hash index in data blocks, restart interval 4",
        "memtable 64 MiB (up to 4), whole-key memtable filter (2% of the memtable), no concurrent memtable writes (there is one writer)",
        "recycled logs (4), 2 background jobs, level compaction with dynamic level sizes",
        "WAL written on each chunk and not synced (as Varve's Process durability); durable rows: sync=true",
        "get: rocksdb_get_into_buffer, the cheapest call there is; rocksdb_get_pinned and the managed Get are reported beside it",
        "settled: flush, CompactRange over everything, wait for compactions",
    ];

    internal RocksDb Db => _db!;

    internal nint WriteOptionsHandle => _writeOptions!.Handle;

    public void Open(string directory, EngineSettings settings)
    {
        var table = new BlockBasedTableOptions()
            .SetFilterPolicy(BloomFilterPolicy.Create(10, false))
            .SetWholeKeyFiltering(true)
            .SetFormatVersion(6)
            .SetBlockRestartInterval(4);
        RocksNative.rocksdb_block_based_options_set_block_cache(table.Handle, RocksNative.rocksdb_cache_create_hyper_clock((nuint)4 << 30, 0));
        RocksNative.rocksdb_block_based_options_set_data_block_index_type(table.Handle, DataBlockBinaryAndHash);
        var options = new DbOptions()
            .SetCreateIfMissing(true)
            .SetCompression(Compression.No)
            .SetBlockBasedTableFactory(table)
            .SetWriteBufferSize(64UL << 20)
            .SetMaxWriteBufferNumber(4)
            .SetMemtablePrefixBloomSizeRatio(0.02)
            .SetAllowConcurrentMemtableWrite(false)
            .SetRecycleLogFileNum(4)
            .IncreaseParallelism(2)
            .SetInfoLogLevel(InfoLogLevel.Error);
        RocksNative.rocksdb_options_set_memtable_whole_key_filtering(options.Handle, 1);
        _writeOptions = new WriteOptions().SetSync(settings.Durable);
        _db = RocksDb.Open(options, directory);
    }

    public PreparedChunks Prepare(EntrySource source, long first, int count, int chunkEntries) =>
        new Chunks(this, new PackedEntries(source, first, count, chunkEntries));

    public IBenchReader OpenReader() => new RocksReader(Db);

    public void Settle()
    {
        Db.Flush(new FlushOptions().SetWaitForFlush(true));
        Db.CompactRange((byte[]?)null, null);
        RocksNative.rocksdb_wait_for_compact(Db.Handle, RocksNative.rocksdb_wait_for_compact_options_create(), out var error);
        RocksNative.Check(error);
    }

    public void Checkpoint(string directory)
    {
        using var checkpoint = Db.Checkpoint();
        checkpoint.Save(directory, 0);   // 0: the memtable is flushed first, so that the copy needs no log
    }

    public void Dispose()
    {
        _db?.Dispose();
        _db = null;
    }

    private sealed unsafe class Chunks(RocksEngine engine, PackedEntries entries) : PreparedChunks
    {
        private readonly nint _batch = RocksNative.rocksdb_writebatch_create();
        private readonly nint _db = engine.Db.Handle;
        private readonly nint _options = engine.WriteOptionsHandle;

        public override int Count => entries.Chunks;

        [SkipLocalsInit]
        public override void Apply(int chunk)
        {
            var keyBytes = (nuint)entries.KeyBytes;
            var valueBytes = (nuint)entries.ValueBytes;
            var from = chunk * entries.ChunkEntries;
            var to = Math.Min(from + entries.ChunkEntries, entries.Count);
            RocksNative.rocksdb_writebatch_clear(_batch);
            for (var i = from; i < to; i++)
            {
                var key = entries.Key(i);
                RocksNative.rocksdb_writebatch_put(_batch, key, keyBytes, key + keyBytes, valueBytes);
            }

            var applied = stackalloc byte[16];
            BinaryPrimitives.WriteInt64LittleEndian(new Span<byte>(applied, 8), entries.First + to);
            BinaryPrimitives.WriteInt64LittleEndian(new Span<byte>(applied + 8, 8), 1);
            fixed (byte* appliedKey = s_appliedKey)
                RocksNative.rocksdb_writebatch_put(_batch, appliedKey, 1, applied, 16);
            RocksNative.rocksdb_write(_db, _options, _batch, out var error);
            RocksNative.Check(error);
        }

        public override void Dispose()
        {
            RocksNative.rocksdb_writebatch_destroy(_batch);
            entries.Dispose();
        }
    }
}
