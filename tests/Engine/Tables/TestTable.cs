using Varve.Format;
using Varve.Storage;
using Varve.Tables;
using Varve.Tests.Shared.Disk;

namespace Varve.Tests.Tables;

internal sealed record TestRow(byte[] Key, RecordKind Kind, ulong Deadline, byte[] Value);

/// <summary>A table in memory, beside the rows that were put into it.</summary>
internal sealed class TestTable
{
    public const string Path = "/t/000000000007.vtab";
    public static readonly Guid Origin = new("00112233-4455-6677-8899-aabbccddeeff");

    public required SimFs Storage { get; init; }

    public required TableDescriptor Descriptor { get; init; }

    public required IReadOnlyList<TestRow> Rows { get; init; }

    public byte[] Bytes
    {
        get => Storage[Path];
        set => Storage[Path] = value;
    }

    public Table Open(bool paranoid = false) => Table.Open(Storage, Path, Descriptor, paranoid);

    public static TestTable Write(IEnumerable<TestRow> rows, int blockBytes = 8192, int filterBitsPerKey = 10)
    {
        var storage = new SimFs { Mappings = SimMappings.Copies };
        storage.CreateDirectory("/t");
        TestRow[] sorted = [.. rows.OrderBy(r => r.Key, KeyOrder.Instance)];
        using var file = storage.Open(Path, FileIntent.CreateNew);
        using var writer = new TableWriter(file, Origin, 7, TestHash.Seed, blockBytes, filterBitsPerKey);
        foreach (var row in sorted)
            writer.Add(row.Key, row.Kind, row.Deadline, row.Value);
        var descriptor = writer.Finish();
        file.Dispose();
        return new TestTable { Storage = storage, Descriptor = descriptor, Rows = sorted };
    }

    public static TestRow Put(string key, string value) => new(Bytes8(key), RecordKind.Put, 0, Bytes8(value));

    public static TestRow Tombstone(string key) => new(Bytes8(key), RecordKind.Tombstone, 0, []);

    public static TestRow Leased(string key, ulong deadline, string value) =>
        new(Bytes8(key), RecordKind.LeasedPut, deadline, Bytes8(value));

    public static byte[] Bytes8(string text) => System.Text.Encoding.Latin1.GetBytes(text);

    /// <summary>The first row whose key is not below a key; the count when there is none.</summary>
    public int LowerBound(ReadOnlySpan<byte> key)
    {
        int low = 0, high = Rows.Count;
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (Rows[middle].Key.AsSpan().SequenceCompareTo(key) < 0)
                low = middle + 1;
            else
                high = middle;
        }
        return low;
    }
}

internal sealed class KeyOrder : IComparer<byte[]>, IEqualityComparer<byte[]>
{
    public static readonly KeyOrder Instance = new();

    public int Compare(byte[]? x, byte[]? y) => x.AsSpan().SequenceCompareTo(y);

    public bool Equals(byte[]? x, byte[]? y) => x.AsSpan().SequenceEqual(y);

    public int GetHashCode(byte[] obj) => (int)TestHash.Of(obj);
}
