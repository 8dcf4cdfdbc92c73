using System.Globalization;
using System.IO.Hashing;
using Varve.Contract;
using Varve.Format;

namespace Varve.Cli.Dump;

/// <summary>Dumps a table: footer, properties and regions, then each block with its rows.</summary>
internal static class TableDump
{
    public static void Write(ReadOnlySpan<byte> file, DumpWriter writer)
    {
        var end = file[^Math.Min(file.Length, TableFooter.Bytes)..];
        if (!TableFooter.TryDecode(end, file.Length, out var footer, out var error) || footer is null)
            throw writer.Corrupt(CorruptionKind.TableFooter, file.Length - end.Length, error);

        var salt = TableChecksum.Salt(footer.Origin, footer.OriginNumber);
        writer.Line(
            footer.Offset,
            $"table number {footer.OriginNumber} of database {footer.Origin}, {file.Length} bytes, xxh128 "
                + $"{Hash(file)}");
        WriteProperties(Region(file, footer.Properties, salt, "properties", writer), footer.Properties.Offset, writer);
        WriteRegion("leases", footer.Leases, writer);
        WriteRegion("filter", footer.Filter, writer);
        WriteRegion("index", footer.Index, writer);

        long offset = 0;
        while (offset < footer.DataLength && !writer.IsFull)
        {
            var rest = file[(int)offset..(int)footer.DataLength];
            var extent = DataBlockHeader.Extent(
                rest.Length < DataBlockHeader.Bytes ? uint.MaxValue : DataBlockShape.ReadHeader(rest).Length);
            if (extent > rest.Length)
                throw writer.Corrupt(CorruptionKind.DataBlock, offset, new DecodeError(
                    0, "block", "runs past the data region"));
            WriteBlock(rest[..(int)extent], offset, salt, writer);
            offset += extent;
        }

        Region(file, footer.Leases, salt, "leases", writer);
        Region(file, footer.Filter, salt, "filter", writer);
        Region(file, footer.Index, salt, "index", writer);
    }

    private static void WriteProperties(ReadOnlySpan<byte> bytes, long offset, DumpWriter writer)
    {
        if (!TableProperties.TryDecode(bytes, out var properties, out var error) || properties is null)
            throw writer.Corrupt(CorruptionKind.TableProperties, offset, error);
        var deadlines =
            properties.LeaseCount == 0 ? "" : $" until {properties.SmallestDeadline}..{properties.LargestDeadline}";
        writer.Line(
            offset,
            $"properties: {properties.RowCount} rows ({properties.TombstoneCount} tombstones, "
            + $"{properties.LeaseCount} leases{deadlines}) in {properties.BlockCount} blocks, "
            + $"{DumpWriter.Key(properties.SmallestKey)}..{DumpWriter.Key(properties.LargestKey)}");
    }

    private static void WriteRegion(string name, TableRegion region, DumpWriter writer) =>
        writer.Line(region.Offset, $"{name}: {region.Length} bytes");

    private static void WriteBlock(ReadOnlySpan<byte> block, long offset, ulong salt, DumpWriter writer)
    {
        if (!DataBlock.TryValidate(block, salt, offset, out var error))
            throw writer.Corrupt(CorruptionKind.DataBlock, offset, error);
        var rows = new DataBlockRows(block);
        writer.Line(
            offset,
            $"block, {block.Length} bytes, {rows.Count} rows, prefix {DumpWriter.Key(rows.Prefix)}, {rows.Flags}");
        while (!writer.IsFull && rows.MoveNext())
        {
            var deadline = rows.Kind == RecordKind.LeasedPut ? $", until {rows.Deadline}" : "";
            writer.Part(
                offset + rows.RowOffset,
                $"{rows.Kind} {DumpWriter.Key(rows.Key)}, value of {rows.ValueLength} bytes{deadline}");
        }
    }

    private static ReadOnlySpan<byte> Region(
        ReadOnlySpan<byte> file, TableRegion region, ulong salt, string name, DumpWriter writer)
    {
        var bytes = file.Slice((int)region.Offset, (int)region.Length);
        var computed = TableChecksum.Of(bytes, salt, region.Offset);
        return computed == region.Checksum
            ? bytes
            : throw writer.Corrupt("table " + name, region.Offset, DecodeError.Checksum(0, region.Checksum, computed));
    }

    private static string Hash(ReadOnlySpan<byte> file) =>
        XxHash128.HashToUInt128(file).ToString("x32", CultureInfo.InvariantCulture);
}
