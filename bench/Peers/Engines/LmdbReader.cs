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
        Value value;
        int result;
        fixed (byte* k = key)
        {
            var wanted = new Value { Size = (nuint)key.Length, Data = k };
            result = mdb_get(_txn, _dbi, &wanted, &value);
        }

        if (result == 0) new ReadOnlySpan<byte>(value.Data, (int)value.Size).CopyTo(destination);
        mdb_txn_reset(_txn);
        if (result is not 0 and not NotFound) Check(result);
        return result == 0 ? (int)value.Size : -1;
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

    public long ScanAll(ref ulong seen)
    {
        Check(mdb_txn_renew(_txn));
        Check(mdb_cursor_renew(_txn, _cursor));
        long count = 0;
        Value key;
        Value value;
        for (var result = mdb_cursor_get(_cursor, &key, &value, OpFirst); result == 0; result = mdb_cursor_get(_cursor, &key, &value, OpNext))
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

    private static ReadOnlySpan<byte> Span(Value value) => new(value.Data, (int)value.Size);
}
