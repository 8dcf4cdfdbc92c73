using System.Runtime.InteropServices;

namespace Varve.Bench.Peers.Engines;

/// <summary>
/// LMDB's C API out of the LightningDB package, bound directly: no wrapper object and no copy between the loop and the
/// tree.
/// </summary>
internal static unsafe partial class LmdbNative
{
    private const string Library = "lmdb";

    public const uint EnvNoSync = 0x10000;
    public const uint EnvNoMetaSync = 0x40000;
    public const uint EnvWriteMap = 0x80000;
    public const uint EnvNoReadAhead = 0x800000;
    public const uint TxnReadOnly = 0x20000;
    public const int NotFound = -30798;
    public const int OpFirst = 0;
    public const int OpNext = 8;
    public const int OpSetRange = 17;

    /// <summary>LMDB's MDB_val.</summary>
    public struct Value
    {
        public nuint Size;
        public byte* Data;
    }

    /// <summary>LMDB's MDB_stat.</summary>
    public struct Tree
    {
        public uint PageSize;
        public uint Depth;
        public nuint BranchPages;
        public nuint LeafPages;
        public nuint OverflowPages;
        public nuint Entries;
    }

    [LibraryImport(Library)]
    public static partial int mdb_stat(nint txn, uint dbi, out Tree tree);

    [LibraryImport(Library)]
    public static partial int mdb_env_create(out nint env);

    [LibraryImport(Library)]
    public static partial int mdb_env_set_mapsize(nint env, nuint size);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int mdb_env_open(nint env, string path, uint flags, int mode);

    [LibraryImport(Library)]
    public static partial void mdb_env_close(nint env);

    [LibraryImport(Library)]
    public static partial int mdb_env_sync(nint env, int force);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int mdb_env_copy2(nint env, string path, uint flags);

    [LibraryImport(Library)]
    public static partial int mdb_txn_begin(nint env, nint parent, uint flags, out nint txn);

    [LibraryImport(Library)]
    public static partial int mdb_txn_commit(nint txn);

    [LibraryImport(Library)]
    public static partial void mdb_txn_abort(nint txn);

    [LibraryImport(Library), SuppressGCTransition]
    public static partial void mdb_txn_reset(nint txn);

    [LibraryImport(Library), SuppressGCTransition]
    public static partial int mdb_txn_renew(nint txn);

    [LibraryImport(Library)]
    public static partial int mdb_dbi_open(nint txn, nint name, uint flags, out uint dbi);

    [LibraryImport(Library)]
    public static partial int mdb_get(nint txn, uint dbi, Value* key, Value* value);

    [LibraryImport(Library)]
    public static partial int mdb_put(nint txn, uint dbi, Value* key, Value* value, uint flags);

    [LibraryImport(Library)]
    public static partial int mdb_cursor_open(nint txn, uint dbi, out nint cursor);

    [LibraryImport(Library)]
    public static partial int mdb_cursor_renew(nint txn, nint cursor);

    [LibraryImport(Library)]
    public static partial void mdb_cursor_close(nint cursor);

    [LibraryImport(Library)]
    public static partial int mdb_cursor_get(nint cursor, Value* key, Value* value, int operation);

    public static void Check(int result)
    {
        if (result != 0) throw new IOException($"LMDB: error {result}");
    }
}
