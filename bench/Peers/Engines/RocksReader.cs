using RocksDbSharp;

namespace Varve.Bench.Peers.Engines;

/// <summary>RocksDB's reads of one thread: three kinds of get, and an iterator for each scan.</summary>
internal sealed unsafe class RocksReader(RocksDb db) : IBenchReader, IManagedReader, IPinnedReader
{
    private readonly nint _db = db.Handle;
    private readonly nint _family = RocksNative.rocksdb_get_default_column_family_handle(db.Handle);
    private readonly ReadOptions _options = new();

    public int Get(ReadOnlySpan<byte> key, Span<byte> destination)
    {
        fixed (byte* k = key)
        fixed (byte* d = destination)
        {
            RocksNative.rocksdb_get_into_buffer(
                _db, _options.Handle, k, (nuint)key.Length, d, (nuint)destination.Length, out var length, out var found,
                out var error);
            RocksNative.Check(error);
            return found == 0 ? -1 : (int)length;
        }
    }

    public int GetPinned(ReadOnlySpan<byte> key, Span<byte> destination)
    {
        nint slice;
        fixed (byte* k = key)
        {
            slice = RocksNative.rocksdb_get_pinned(_db, _options.Handle, k, (nuint)key.Length, out var error);
            RocksNative.Check(error);
        }

        if (slice == 0) return -1;
        var value = RocksNative.rocksdb_pinnableslice_value(slice, out var length);
        new ReadOnlySpan<byte>(value, (int)length).CopyTo(destination);
        RocksNative.rocksdb_pinnableslice_destroy(slice);
        return (int)length;
    }

    public int GetInPlace(ReadOnlySpan<byte> key, ref ulong seen)
    {
        nint slice;
        fixed (byte* k = key)
        {
            slice = RocksNative.rocksdb_get_pinned(_db, _options.Handle, k, (nuint)key.Length, out var error);
            RocksNative.Check(error);
        }

        if (slice == 0) return -1;
        var value = RocksNative.rocksdb_pinnableslice_value(slice, out var length);
        Visit.Value(ref seen, new ReadOnlySpan<byte>(value, (int)length));
        RocksNative.rocksdb_pinnableslice_destroy(slice);
        return (int)length;
    }

    public int GetMulti(ReadKeys keys, int from, int count, Span<byte> destination)
    {
        var pointers = stackalloc byte*[count];
        var lengths = stackalloc nuint[count];
        var slices = stackalloc nint[count];
        var errors = stackalloc nint[count];
        for (var i = 0; i < count; i++)
        {
            pointers[i] = keys.Pointer(from + i);
            lengths[i] = (nuint)keys[from + i].Length;
        }

        RocksNative.rocksdb_batched_multi_get_cf(
            _db, _options.Handle, _family, (nuint)count, pointers, lengths, slices, errors, 0);
        var found = 0;
        var at = 0;
        for (var i = 0; i < count; i++)
        {
            RocksNative.Check(errors[i]);
            if (slices[i] == 0) continue;
            var value = RocksNative.rocksdb_pinnableslice_value(slices[i], out var length);
            new ReadOnlySpan<byte>(value, (int)length).CopyTo(destination[at..]);
            at += (int)length;
            RocksNative.rocksdb_pinnableslice_destroy(slices[i]);
            found++;
        }

        return found;
    }

    public int GetManaged(ReadOnlySpan<byte> key, Span<byte> destination)
    {
        var value = db.Get(key);
        if (value is null) return -1;
        value.CopyTo(destination);
        return value.Length;
    }

    public long ScanPrefix(ReadOnlySpan<byte> prefix, ref ulong seen)
    {
        var iterator = RocksNative.rocksdb_create_iterator(_db, _options.Handle);
        fixed (byte* p = prefix) RocksNative.rocksdb_iter_seek(iterator, p, (nuint)prefix.Length);
        long count = 0;
        while (RocksNative.rocksdb_iter_valid(iterator) != 0)
        {
            var key = Key(iterator);
            if (!key.StartsWith(prefix)) break;
            Visit.Entry(ref seen, key, Value(iterator));
            count++;
            RocksNative.rocksdb_iter_next(iterator);
        }

        RocksNative.rocksdb_iter_destroy(iterator);
        return count;
    }

    public long ScanFrom(ReadOnlySpan<byte> key, int limit, ref ulong seen)
    {
        var iterator = RocksNative.rocksdb_create_iterator(_db, _options.Handle);
        fixed (byte* k = key) RocksNative.rocksdb_iter_seek(iterator, k, (nuint)key.Length);
        long count = 0;
        for (; count < limit && RocksNative.rocksdb_iter_valid(iterator) != 0; count++)
        {
            Visit.Entry(ref seen, Key(iterator), Value(iterator));
            RocksNative.rocksdb_iter_next(iterator);
        }

        RocksNative.rocksdb_iter_destroy(iterator);
        return count;
    }

    public long ScanAll(ref ulong seen)
    {
        var iterator = RocksNative.rocksdb_create_iterator(_db, _options.Handle);
        RocksNative.rocksdb_iter_seek_to_first(iterator);
        long count = 0;
        while (RocksNative.rocksdb_iter_valid(iterator) != 0)
        {
            Visit.Entry(ref seen, Key(iterator), Value(iterator));
            count++;
            RocksNative.rocksdb_iter_next(iterator);
        }

        RocksNative.rocksdb_iter_destroy(iterator);
        return count;
    }

    public void Dispose() { }

    private static ReadOnlySpan<byte> Key(nint iterator) =>
        new(RocksNative.rocksdb_iter_key(iterator, out var length), (int)length);

    private static ReadOnlySpan<byte> Value(nint iterator) =>
        new(RocksNative.rocksdb_iter_value(iterator, out var length), (int)length);
}
