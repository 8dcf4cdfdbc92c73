using Varve.Format;

namespace Varve.Tables;

/// <summary>Writes what follows the data blocks of a table: each region aligned, checksummed and located.</summary>
internal sealed class TableRegionWriter(TableOutput output, ulong salt) : IDisposable
{
    private readonly NativeList<byte> region = new();

    public TableRegion WriteLeases(ReadOnlySpan<TableLease> leases)
    {
        region.Resize(checked(leases.Length * TableLeases.EntryBytes));
        for (int i = 0; i < leases.Length; i++)
            TableLeases.Write(region.Span[(i * TableLeases.EntryBytes)..], leases[i]);
        return Write();
    }

    public TableRegion WriteFilter(ReadOnlySpan<ulong> hashes, int bitsPerKey)
    {
        region.Resize((int)TableFilter.Length(hashes.Length, bitsPerKey));
        Span<byte> filter = region.Span;
        filter.Clear();
        if (!filter.IsEmpty)
        {
            foreach (ulong hash in hashes)
                TableFilter.Add(filter, hash);
        }
        return Write();
    }

    public TableRegion WriteIndex(
        ReadOnlySpan<byte> lines, ReadOnlySpan<uint> blockOffsets, ReadOnlySpan<uint> separatorOffsets, ReadOnlySpan<byte> separators,
        ReadOnlySpan<byte> smallestKey, ReadOnlySpan<byte> largestKey)
    {
        region.Resize(checked((int)TableIndex.Length(blockOffsets.Length - 1, separators.Length)));
        TableIndex.Encode(region.Span, lines, blockOffsets, separatorOffsets, separators, smallestKey, largestKey);
        return Write();
    }

    public TableRegion WriteProperties(TableProperties properties)
    {
        region.Resize(properties.EncodedLength);
        properties.Encode(region.Span);
        return Write();
    }

    public void WriteFooter(TableFooter footer)
    {
        output.Align();
        Span<byte> bytes = stackalloc byte[TableFooter.Bytes];
        footer.Encode(bytes);
        output.Append(bytes);
    }

    public void Dispose() => region.Dispose();

    private TableRegion Write()
    {
        output.Align();
        var written = new TableRegion(output.Position, region.Count, TableChecksum.Of(region.Span, salt, output.Position));
        output.Append(region.Span);
        return written;
    }
}
