using System.Buffers.Binary;
using System.Runtime.CompilerServices;

namespace Varve.Bench.Peers.Engines;

/// <summary>One WriteBatch a chunk, with the applied index under its own key.</summary>
internal sealed unsafe class RocksChunks(RocksEngine engine, PackedEntries entries) : PreparedChunks
{
    /// <summary>The key of the applied index. Sorts before every other key.</summary>
    private static readonly byte[] AppliedKey = [0];

    private readonly nint _batch = RocksNative.rocksdb_writebatch_create();
    private readonly nint _db = engine.Db.Handle;
    private readonly nint _options = engine.WriteOptionsHandle;

    public override int Count => entries.Chunks;

    [SkipLocalsInit]
    public override void Apply(int chunk)
    {
        var valueBytes = entries.ValueBytes;
        var at = entries.Start(chunk);
        RocksNative.rocksdb_writebatch_clear(_batch);
        for (var left = entries.CountOf(chunk); left > 0; left--)
        {
            var key = PackedEntries.Next(ref at, valueBytes, out var keyBytes);
            RocksNative.rocksdb_writebatch_put(_batch, key, (nuint)keyBytes, key + keyBytes, (nuint)valueBytes);
        }

        var applied = stackalloc byte[16];
        BinaryPrimitives.WriteInt64LittleEndian(new Span<byte>(applied, 8), entries.End(chunk));
        BinaryPrimitives.WriteInt64LittleEndian(new Span<byte>(applied + 8, 8), 1);
        fixed (byte* appliedKey = AppliedKey)
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
