using Varve.Format;

namespace Varve.Tables;

/// <summary>
/// Writes the regions and the footer behind the data blocks of a table. Each region is aligned and has a checksum.
/// </summary>
internal sealed class TableRegionWriter(TableOutput output, ulong salt) : IDisposable
{
    private readonly NativeList<byte> _region = new();

    public TableRegion WriteLeases(ReadOnlySpan<TableLease> leases)
    {
        _region.Resize(checked(leases.Length * TableLeases.EntryBytes));
        for (var i = 0; i < leases.Length; i++)
            TableLeases.Write(_region.Span[(i * TableLeases.EntryBytes)..], leases[i]);
        return Write();
    }

    public TableRegion WriteFilter(ReadOnlySpan<ulong> hashes, int bitsPerKey)
    {
        _region.Resize((int)TableFilter.Length(hashes.Length, bitsPerKey));
        var filter = _region.Span;
        filter.Clear();
        if (!filter.IsEmpty)
        {
            foreach (var hash in hashes)
                TableFilter.Add(filter, hash);
        }
        return Write();
    }

    public TableRegion WriteIndex(
        ReadOnlySpan<byte> lines,
        ReadOnlySpan<uint> blockOffsets,
        ReadOnlySpan<uint> separatorOffsets,
        ReadOnlySpan<byte> separators,
        ReadOnlySpan<byte> smallestKey,
        ReadOnlySpan<byte> largestKey)
    {
        _region.Resize(checked((int)TableIndex.Length(blockOffsets.Length - 1, separators.Length)));
        TableIndex.Encode(_region.Span, lines, blockOffsets, separatorOffsets, separators, smallestKey, largestKey);
        return Write();
    }

    public TableRegion WriteProperties(TableProperties properties)
    {
        _region.Resize(properties.EncodedLength);
        properties.Encode(_region.Span);
        return Write();
    }

    public void WriteFooter(TableFooter footer)
    {
        output.Align();
        Span<byte> bytes = stackalloc byte[TableFooter.Bytes];
        footer.Encode(bytes);
        output.Append(bytes);
    }

    public void Dispose() => _region.Dispose();

    private TableRegion Write()
    {
        output.Align();
        var written = new TableRegion(
            output.Position, _region.Count, TableChecksum.Of(_region.Span, salt, output.Position));
        output.Append(_region.Span);
        return written;
    }
}
