using static Varve.Bench.Peers.Engines.LmdbNative;

namespace Varve.Bench.Peers.Engines;

/// <summary>LMDB's reads of one thread: a read transaction and a cursor, both reused.</summary>
internal sealed unsafe class LmdbReader : IBenchReader
{
    private readonly nint _txn;
    private readonly uint _dbi;
    private readonly nint _cursor;

    public LmdbReader(nint env, uint dbi)
    {
        _dbi = dbi;
        Check(mdb_txn_begin(env, 0, TxnReadOnly, out _txn));
        Check(mdb_cursor_open(_txn, dbi, out _cursor));
        mdb_txn_reset(_txn);
    }

    public int Get(ReadOnlySpan<byte> key, Span<byte> destination)
    {
        Check(mdb_txn_renew(_txn));
        var found = Find(key, out var value);
        if (found) Span(value).CopyTo(destination);
        mdb_txn_reset(_txn);
        return found ? (int)value.Size : -1;
    }

    public int GetInPlace(ReadOnlySpan<byte> key, ref ulong seen)
    {
        Check(mdb_txn_renew(_txn));
        var found = Find(key, out var value);
        if (found) Visit.Value(ref seen, Span(value));
        mdb_txn_reset(_txn);
        return found ? (int)value.Size : -1;
    }

    public int GetMulti(ReadKeys keys, int from, int count, Span<byte> destination)
    {
        Check(mdb_txn_renew(_txn));
        var found = 0;
        var at = 0;
        for (var i = from; i < from + count; i++)
        {
            if (!Find(keys[i], out var value)) continue;
            Span(value).CopyTo(destination[at..]);
            at += (int)value.Size;
            found++;
        }

        mdb_txn_reset(_txn);
        return found;
    }

    public long ScanPrefix(ReadOnlySpan<byte> prefix, ref ulong seen)
    {
        Check(mdb_txn_renew(_txn));
        Check(mdb_cursor_renew(_txn, _cursor));
        long count = 0;
        fixed (byte* p = prefix)
        {
            Value value;
            var key = new Value { Size = (nuint)prefix.Length, Data = p };
            for (var result = mdb_cursor_get(_cursor, &key, &value, OpSetRange);
                 result == 0 && Span(key).StartsWith(prefix);
                 result = mdb_cursor_get(_cursor, &key, &value, OpNext))
            {
                Visit.Entry(ref seen, Span(key), Span(value));
                count++;
            }
        }

        mdb_txn_reset(_txn);
        return count;
    }

    public long ScanFrom(ReadOnlySpan<byte> key, int limit, ref ulong seen)
    {
        Check(mdb_txn_renew(_txn));
        Check(mdb_cursor_renew(_txn, _cursor));
        long count = 0;
        fixed (byte* k = key)
        {
            Value value;
            var at = new Value { Size = (nuint)key.Length, Data = k };
            for (var result = mdb_cursor_get(_cursor, &at, &value, OpSetRange); result == 0;
                result = mdb_cursor_get(_cursor, &at, &value, OpNext))
            {
                Visit.Entry(ref seen, Span(at), Span(value));
                if (++count == limit) break;
            }
        }

        mdb_txn_reset(_txn);
        return count;
    }

    public long ScanAll(ref ulong seen)
    {
        Check(mdb_txn_renew(_txn));
        Check(mdb_cursor_renew(_txn, _cursor));
        long count = 0;
        Value key;
        Value value;
        for (var result = mdb_cursor_get(_cursor, &key, &value, OpFirst); result == 0;
            result = mdb_cursor_get(_cursor, &key, &value, OpNext))
        {
            Visit.Entry(ref seen, Span(key), Span(value));
            count++;
        }

        mdb_txn_reset(_txn);
        return count;
    }

    public void Dispose()
    {
        mdb_cursor_close(_cursor);
        mdb_txn_abort(_txn);
    }

    private bool Find(ReadOnlySpan<byte> key, out Value value)
    {
        int result;
        fixed (byte* k = key)
        fixed (Value* v = &value)
        {
            var wanted = new Value { Size = (nuint)key.Length, Data = k };
            result = mdb_get(_txn, _dbi, &wanted, v);
        }

        if (result is not 0 and not NotFound) Check(result);
        return result == 0;
    }

    private static ReadOnlySpan<byte> Span(Value value) => new(value.Data, (int)value.Size);
}
