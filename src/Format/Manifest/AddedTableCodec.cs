using System.Buffers;

namespace Varve.Format;

/// <summary>
/// A list of tables with their runs, as version edits and snapshot manifests hold it.
/// <code>
///  0  u32  count
///  then each: u64 run order, a table descriptor (TableDescriptorCodec)
/// </code>
/// </summary>
internal static class AddedTableCodec
{
    public const int SizeMin = 8 + TableDescriptorCodec.SizeMin;

    private const int ElementMemory = 16;

    public static void Encode(IBufferWriter<byte> destination, ReadOnlySpan<AddedTable> tables)
    {
        var writer = new FieldWriter(destination);
        writer.U32((uint)tables.Length);
        foreach (var added in tables)
        {
            writer.U64(added.RunOrder);
            TableDescriptorCodec.Encode(destination, added.Table);
        }
    }

    /// <summary>Reads the list out of a larger record; empty when the reader failed.</summary>
    public static AddedTable[] Read(ref FieldReader reader, int countMax = int.MaxValue)
    {
        var at = reader.Position;
        var count = reader.Count(SizeMin, "table count");
        if (count > countMax) reader.Fail(at, "table count", "is over its limit");
        if (reader.Failed || !reader.Charge(count * (long)ElementMemory)) return [];
        var tables = new AddedTable[count];
        foreach (ref var added in tables.AsSpan())
        {
            var order = reader.U64("run order");
            if (TableDescriptorCodec.Read(ref reader) is not { } table) return [];
            added = new AddedTable(order, table);
        }

        return tables;
    }
}
