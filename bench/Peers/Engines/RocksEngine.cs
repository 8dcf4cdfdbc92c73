using RocksDbSharp;

namespace Varve.Bench.Peers.Engines;

/// <summary>
/// RocksDB, its hot calls made straight to the C API: with the settings that suit this work best, or with its own
/// defaults.
/// </summary>
internal sealed class RocksEngine(bool defaults) : IBenchEngine
{
    private const int DataBlockBinaryAndHash = 1;

    private RocksDb? _db;
    private WriteOptions? _writeOptions;
    private string? _directory;

    public string Name => defaults ? "rocksdb-default" : "rocksdb";

    public IReadOnlyList<string> Notes => [.. defaults ? Defaults : Tuned, .. Both];

    private static string[] Tuned =>
    [
        "no compression, full Bloom filter of 10 bits, 4 GiB HyperClock block cache, "
            + "index and filter blocks outside of it, hash index in data blocks, restart interval 4",
        "memtable 64 MiB (up to 4), whole-key memtable filter (2% of the memtable), "
            + "no concurrent memtable writes (there is one writer)",
        "recycled logs (4), 2 background jobs, level compaction with dynamic level sizes, "
            + "no flush at the end of a recovery",
    ];

    private static string[] Defaults =>
    [
        "the package's defaults: Snappy compression, no filter, 32 MiB block cache, memtable 64 MiB (2), "
            + "2 background jobs",
    ];

    private static string[] Both =>
    [
        "one WriteBatch a chunk with the applied index under its own key, batch reused, filled through the C API",
        "WAL written on each chunk and not synced (as Varve's Process durability); durable rows: sync=true",
        "get: rocksdb_get_into_buffer, the cheapest call there is; rocksdb_get_pinned and the managed Get are reported "
            + "beside it; in place: rocksdb_get_pinned",
        "multi-get: rocksdb_batched_multi_get_cf into pinned slices, which are copied out",
        "settled: flush, CompactRange over everything, wait for compactions; count: an iterator over everything, "
            + "as its own count is an estimate",
    ];

    internal RocksDb Db => _db!;

    internal nint WriteOptionsHandle => _writeOptions!.Handle;

    public void Open(string directory, EngineSettings settings)
    {
        _directory = directory;
        _writeOptions = new WriteOptions().SetSync(settings.Durable);
        _db = RocksDb.Open(defaults ? DefaultOptions(settings) : TunedOptions(settings), directory);
    }

    public PreparedChunks Prepare(IEntries entries, long first, int count, int chunkEntries) =>
        new RocksChunks(this, new PackedEntries(entries, first, count, chunkEntries));

    public IBenchReader OpenReader() => new RocksReader(Db);

    public void Settle()
    {
        Db.Flush(new FlushOptions().SetWaitForFlush(true));
        Db.CompactRange((byte[]?)null, null);
        RocksNative.rocksdb_wait_for_compact(
            Db.Handle, RocksNative.rocksdb_wait_for_compact_options_create(), out var error);
        RocksNative.Check(error);
    }

    public void Checkpoint(string directory)
    {
        using var checkpoint = Db.Checkpoint();
        checkpoint.Save(directory, 0);   // 0: the memtable is flushed first, so that the copy needs no log
    }

    public long Count()
    {
        var iterator = RocksNative.rocksdb_create_iterator(Db.Handle, new ReadOptions().Handle);
        long count = 0;
        for (RocksNative.rocksdb_iter_seek_to_first(iterator); RocksNative.rocksdb_iter_valid(iterator) != 0;
            RocksNative.rocksdb_iter_next(iterator))
            count++;
        RocksNative.rocksdb_iter_destroy(iterator);
        return count;
    }

    public void Describe(IDictionary<string, double> figures)
    {
        figures["memtable_bytes"] = Property("rocksdb.cur-size-all-mem-tables");
        figures["log_bytes"] = Directory.EnumerateFiles(_directory!, "*.log").Sum(f => new FileInfo(f).Length);
        for (var level = 0; level < 7; level++)
        {
            var files = double.Parse(
                Db.GetProperty($"rocksdb.num-files-at-level{level}"),
                System.Globalization.CultureInfo.InvariantCulture);
            if (files > 0) figures[$"level{level}_files"] = files;
        }
    }

    public void Dispose()
    {
        _db?.Dispose();
        _db = null;
    }

    private static DbOptions DefaultOptions(EngineSettings settings)
    {
        var options = new DbOptions().SetCreateIfMissing(true).SetInfoLogLevel(InfoLogLevel.Error);
        if (settings.MemtableBytes != EngineSettings.Usual.MemtableBytes)
            options.SetWriteBufferSize((ulong)settings.MemtableBytes);
        if (settings.CacheBytes == EngineSettings.Usual.CacheBytes) return options;
        var table = new BlockBasedTableOptions().SetBlockCache(Cache.CreateLru((ulong)settings.CacheBytes));
        return options.SetBlockBasedTableFactory(table);
    }

    private static DbOptions TunedOptions(EngineSettings settings)
    {
        var table = new BlockBasedTableOptions()
            .SetFilterPolicy(BloomFilterPolicy.Create(10, false))
            .SetWholeKeyFiltering(true)
            .SetFormatVersion(6)
            .SetBlockRestartInterval(4);
        RocksNative.rocksdb_block_based_options_set_block_cache(
            table.Handle, RocksNative.rocksdb_cache_create_hyper_clock((nuint)settings.CacheBytes, 0));
        RocksNative.rocksdb_block_based_options_set_data_block_index_type(table.Handle, DataBlockBinaryAndHash);
        var options = new DbOptions()
            .SetCreateIfMissing(true)
            .SetCompression(Compression.No)
            .SetBlockBasedTableFactory(table)
            .SetWriteBufferSize((ulong)settings.MemtableBytes)
            .SetMaxWriteBufferNumber(4)
            .SetMemtablePrefixBloomSizeRatio(0.02)
            .SetAllowConcurrentMemtableWrite(false)
            .SetRecycleLogFileNum(4)
            .IncreaseParallelism(2)
            .SetInfoLogLevel(InfoLogLevel.Error);
        RocksNative.rocksdb_options_set_memtable_whole_key_filtering(options.Handle, 1);
        RocksNative.rocksdb_options_set_avoid_flush_during_recovery(options.Handle, 1);
        return options;
    }

    private double Property(string name) =>
        RocksNative.rocksdb_property_int(Db.Handle, name, out var value) == 0 ? value : 0;
}
