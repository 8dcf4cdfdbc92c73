using System.Buffers;
using System.Diagnostics.CodeAnalysis;

namespace Varve.Format;

/// <summary>
/// The bytes of a <see cref="TableDescriptor"/>, alone or inside a version edit or a snapshot manifest.
/// <code>
///   0  u16   version          1
///   2  16    origin           database id, in the order in which it is printed
///  18  u64   origin number
///  26  u64   number
///  34  u64   length           bytes of the file, 1 ..
///  42  u128  hash             XXH128 of the whole file
///  58  u64   row count        1 ..
///  66  u64   tombstone count  tombstones and leases together are no more than the rows
///  74  u64   lease count
///  82  u32   length, then the smallest key or its first 64 bytes     1 .. 64 bytes
///      u32   length, then the largest key or its first 64 bytes      not below the smallest
/// </code>
/// All integers are little endian.
/// </summary>
internal static class TableDescriptorCodec
{
    public const ushort Version = 1;

    /// <summary>The least that a descriptor takes: what a count of them is checked against.</summary>
    public const int SizeMin = 82 + 4 + 1 + 4 + 1;

    /// <summary>
    /// The assumed cost of a descriptor in memory, beside its keys: the record, its copy under a new number when it
    /// is installed, two arrays, and the table's names. A round number above what was measured, for it decides what a
    /// reader refuses.
    /// </summary>
    private const int Memory = 384;

    public static byte[] Encode(TableDescriptor table)
    {
        var buffer = new ArrayBufferWriter<byte>(SizeMin + 64);
        Encode(buffer, table);
        return buffer.WrittenSpan.ToArray();
    }

    /// <exception cref="ArgumentException">The record breaks one of its own rules, so that no reader would take
    /// it.</exception>
    public static void Encode(IBufferWriter<byte> destination, TableDescriptor table)
    {
        if (Fault(table) is { } fault) throw new ArgumentException(fault.ToString(), nameof(table));
        var writer = new FieldWriter(destination);
        writer.U16(Version);
        writer.Identifier(table.Origin);
        writer.U64(table.OriginNumber);
        writer.U64(table.Number);
        writer.U64((ulong)table.Length);
        writer.U128(table.Hash);
        writer.U64((ulong)table.RowCount);
        writer.U64((ulong)table.TombstoneCount);
        writer.U64((ulong)table.LeaseCount);
        writer.Blob(TableDescriptor.BoundOf(table.SmallestKey));
        writer.Blob(TableDescriptor.BoundOf(table.LargestKey));
    }

    public static bool TryDecode(
        ReadOnlySpan<byte> source, [NotNullWhen(true)] out TableDescriptor? table, out DecodeError error)
    {
        var reader = new FieldReader(source);
        table = Read(ref reader);
        reader.End("table descriptor");
        error = reader.Error;
        if (reader.Failed) table = null;
        return table is not null;
    }

    /// <summary>Reads one descriptor out of a larger record; null when the reader failed.</summary>
    public static TableDescriptor? Read(ref FieldReader reader)
    {
        var start = reader.Position;
        reader.Version(Version, "table descriptor");
        var origin = reader.Identifier("table origin");
        var originNumber = reader.U64("table origin number");
        var number = reader.U64("table number");
        var length = reader.I63("table length");
        var hash = reader.U128("table hash");
        var rows = reader.I63("table row count");
        var tombstones = reader.I63("table tombstone count");
        var leases = reader.I63("table lease count");
        var smallest = reader.Blob(TableDescriptor.BoundBytesMax, "smallest key of a table");
        var largest = reader.Blob(TableDescriptor.BoundBytesMax, "largest key of a table");
        if (reader.Failed || !reader.Charge(Memory + smallest.Length + largest.Length)) return null;

        var table = new TableDescriptor
        {
            Origin = origin,
            OriginNumber = originNumber,
            Number = number,
            Length = length,
            Hash = hash,
            RowCount = rows,
            TombstoneCount = tombstones,
            LeaseCount = leases,
            SmallestKey = smallest.ToArray(),
            LargestKey = largest.ToArray(),
        };
        if (Fault(table) is not { } fault) return table;
        reader.Fail(start, fault.Field, fault.Problem);
        return null;
    }

    /// <summary>The first rule that the record breaks, or null.</summary>
    private static FieldFault? Fault(TableDescriptor table)
    {
        if (table.Length < 1) return new("table length", "is 0");
        if (table.RowCount < 1) return new("table", "has no rows");
        if (table.TombstoneCount < 0 || table.TombstoneCount > table.RowCount)
            return new("table", "has more tombstones than rows");
        if (table.LeaseCount < 0 || table.LeaseCount > table.RowCount - table.TombstoneCount)
            return new("table", "has more leases than puts");
        if (table.SmallestKey.Length is 0 or > WalOperation.KeyLengthMax)
            return new("smallest key", "is not 1 to 65,535 bytes long");
        if (table.LargestKey.Length is 0 or > WalOperation.KeyLengthMax)
            return new("largest key", "is not 1 to 65,535 bytes long");
        return table.SmallestKey.AsSpan().SequenceCompareTo(table.LargestKey) > 0
            ? new FieldFault("smallest key", "is above the largest")
            : null;
    }
}
