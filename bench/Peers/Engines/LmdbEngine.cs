using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using static Varve.Bench.Peers.Engines.LmdbNative;

namespace Varve.Bench.Peers.Engines;

/// <summary>LMDB as fast as it goes: a writable map and no syncs, one transaction a chunk.</summary>
internal sealed class LmdbEngine : IBenchEngine
{
    private static readonly byte[] AppliedKey = [0];

    private nint _env;
    private uint _dbi;

    public string Name => "lmdb";

    public IReadOnlyList<string> Notes =>
    [
        "one transaction a chunk with the applied index under its own key; all calls straight to the C API",
        "LMDB 1.0 of the LightningDB package; on a glibc older than 2.38 the same library with the import "
            + "__isoc23_strtol read as strtol",
        "WRITEMAP | NOSYNC | NOMETASYNC, NORDAHEAD, map of 64 GiB (sparse), 4 KiB pages",
        "durable rows: none of WRITEMAP, NOSYNC, NOMETASYNC: each commit is written and synced (msync of a writable "
            + "map measured slower)",
        "no MDB_APPEND on ascending keys: a state machine does not know that its keys ascend",
        "get: one read transaction a thread, renewed and reset around every get; scans: renewed around every scan, "
            + "cursor reused",
        "multi-get: a loop of mdb_get in one read transaction; in place: the value is touched inside the transaction",
        "settled: mdb_env_sync (a B+tree has nothing to merge); checkpoint: mdb_env_copy2 without compaction; count: "
            + "mdb_stat",
    ];

    public void Open(string directory, EngineSettings settings)
    {
        LmdbLibrary.Register();
        Check(mdb_env_create(out _env));
        Check(mdb_env_set_mapsize(_env, (nuint)64 << 30));
        var flags = EnvNoReadAhead | (settings.Durable ? 0 : EnvWriteMap | EnvNoSync | EnvNoMetaSync);
        Check(mdb_env_open(_env, directory, flags, 0x1B4));
        Check(mdb_txn_begin(_env, 0, 0, out var txn));
        Check(mdb_dbi_open(txn, 0, 0, out _dbi));
        Check(mdb_txn_commit(txn));
    }

    public PreparedChunks Prepare(IEntries entries, long first, int count, int chunkEntries) =>
        new Chunks(_env, _dbi, new PackedEntries(entries, first, count, chunkEntries));

    public IBenchReader OpenReader() => new LmdbReader(_env, _dbi);

    public void Settle() => Check(mdb_env_sync(_env, 1));

    public void Checkpoint(string directory)
    {
        Directory.CreateDirectory(directory);
        Check(mdb_env_copy2(_env, directory, 0));
    }

    public long Count()
    {
        Check(mdb_txn_begin(_env, 0, TxnReadOnly, out var txn));
        var result = mdb_stat(txn, _dbi, out var tree);
        mdb_txn_abort(txn);
        Check(result);
        return (long)tree.Entries;
    }

    public void Describe(IDictionary<string, double> figures) { }   // no memtable, no log

    public void Dispose()
    {
        if (_env != 0) mdb_env_close(_env);
        _env = 0;
    }

    private sealed unsafe class Chunks(nint env, uint dbi, PackedEntries entries) : PreparedChunks
    {
        public override int Count => entries.Chunks;

        [SkipLocalsInit]
        public override void Apply(int chunk)
        {
            var at = entries.Start(chunk);
            Check(mdb_txn_begin(env, 0, 0, out var txn));
            Value key;
            var value = new Value { Size = (nuint)entries.ValueBytes };
            for (var left = entries.CountOf(chunk); left > 0; left--)
            {
                key.Data = PackedEntries.Next(ref at, entries.ValueBytes, out var keyBytes);
                key.Size = (nuint)keyBytes;
                value.Data = key.Data + keyBytes;
                Check(mdb_put(txn, dbi, &key, &value, 0));
            }

            var applied = stackalloc byte[16];
            BinaryPrimitives.WriteInt64LittleEndian(new Span<byte>(applied, 8), entries.End(chunk));
            BinaryPrimitives.WriteInt64LittleEndian(new Span<byte>(applied + 8, 8), 1);
            fixed (byte* appliedKey = AppliedKey)
            {
                key = new Value { Size = 1, Data = appliedKey };
                value = new Value { Size = 16, Data = applied };
                Check(mdb_put(txn, dbi, &key, &value, 0));
            }

            Check(mdb_txn_commit(txn));
        }

        public override void Dispose() => entries.Dispose();
    }
}
