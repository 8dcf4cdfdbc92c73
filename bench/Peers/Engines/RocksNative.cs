using System.Runtime.InteropServices;

namespace Varve.Bench.Peers.Engines;

/// <summary>
/// The part of RocksDB's C API that the timed loops use, bound without delegates. Calls that neither block nor call
/// back, and take well under a microsecond, skip the runtime's transition: the best a C# program can do.
/// </summary>
internal static unsafe partial class RocksNative
{
    private const string Library = "rocksdb";

    [LibraryImport(Library), SuppressGCTransition]
    public static partial void rocksdb_writebatch_put(
        nint batch, byte* key, nuint keyLength, byte* value, nuint valueLength);

    [LibraryImport(Library), SuppressGCTransition]
    public static partial void rocksdb_writebatch_clear(nint batch);

    [LibraryImport(Library)]
    public static partial nint rocksdb_writebatch_create();

    [LibraryImport(Library)]
    public static partial void rocksdb_writebatch_destroy(nint batch);

    [LibraryImport(Library)]
    public static partial void rocksdb_write(nint db, nint options, nint batch, out nint error);

    [LibraryImport(Library)]
    public static partial nint rocksdb_get_pinned(nint db, nint options, byte* key, nuint keyLength, out nint error);

    [LibraryImport(Library), SuppressGCTransition]
    public static partial byte* rocksdb_pinnableslice_value(nint slice, out nuint length);

    [LibraryImport(Library)]
    public static partial void rocksdb_pinnableslice_destroy(nint slice);

    [LibraryImport(Library)]
    public static partial byte rocksdb_get_into_buffer(
        nint db, nint options, byte* key, nuint keyLength, byte* buffer, nuint bufferLength, out nuint valueLength,
        out byte found, out nint error);

    [LibraryImport(Library)]
    public static partial nint rocksdb_get_default_column_family_handle(nint db);

    [LibraryImport(Library)]
    public static partial void rocksdb_batched_multi_get_cf(
        nint db, nint options, nint family, nuint count, byte** keys, nuint* keyLengths, nint* values, nint* errors,
        byte sorted);

    [LibraryImport(Library)]
    public static partial nint rocksdb_create_iterator(nint db, nint options);

    [LibraryImport(Library)]
    public static partial void rocksdb_iter_destroy(nint iterator);

    [LibraryImport(Library)]
    public static partial void rocksdb_iter_seek_to_first(nint iterator);

    [LibraryImport(Library)]
    public static partial void rocksdb_iter_seek(nint iterator, byte* key, nuint keyLength);

    [LibraryImport(Library)]
    public static partial void rocksdb_iter_next(nint iterator);

    [LibraryImport(Library), SuppressGCTransition]
    public static partial byte rocksdb_iter_valid(nint iterator);

    [LibraryImport(Library), SuppressGCTransition]
    public static partial byte* rocksdb_iter_key(nint iterator, out nuint length);

    [LibraryImport(Library), SuppressGCTransition]
    public static partial byte* rocksdb_iter_value(nint iterator, out nuint length);

    [LibraryImport(Library)]
    public static partial void rocksdb_options_set_memtable_whole_key_filtering(nint options, byte on);

    [LibraryImport(Library)]
    public static partial void rocksdb_options_set_avoid_flush_during_recovery(nint options, byte on);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int rocksdb_property_int(nint db, string name, out ulong value);

    [LibraryImport(Library)]
    public static partial nint rocksdb_cache_create_hyper_clock(nuint capacity, nuint estimatedEntryCharge);

    [LibraryImport(Library)]
    public static partial void rocksdb_block_based_options_set_block_cache(nint options, nint cache);

    [LibraryImport(Library)]
    public static partial void rocksdb_block_based_options_set_data_block_index_type(nint options, int type);

    [LibraryImport(Library)]
    public static partial nint rocksdb_wait_for_compact_options_create();

    [LibraryImport(Library)]
    public static partial void rocksdb_wait_for_compact(nint db, nint options, out nint error);

    public static void Check(nint error)
    {
        if (error != 0) throw new IOException("RocksDB: " + Marshal.PtrToStringUTF8(error));
    }
}
