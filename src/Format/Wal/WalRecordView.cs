namespace Varve.Format;

/// <summary>A valid record where it stands in its segment: header, payload, operations.</summary>
internal readonly ref struct WalRecordView
{
    /// <summary>The header.</summary>
    public readonly WalRecordHeader Header;

    private readonly ReadOnlySpan<byte> _source;

    /// <param name="header">The header, read from <paramref name="source"/>.</param>
    /// <param name="source">The segment's bytes from the record on.</param>
    public WalRecordView(scoped in WalRecordHeader header, ReadOnlySpan<byte> source)
    {
        Header = header;
        _source = source;
    }

    /// <summary>Offset of the record in its segment.</summary>
    public long Offset => Header.Offset;

    /// <summary>Offset of the next record.</summary>
    public long End => Header.Offset + Header.Length;

    /// <summary>Offset of the payload in the segment.</summary>
    public long PayloadOffset => Header.Offset + WalRecordHeader.Size;

    public ReadOnlySpan<byte> Bytes => _source[..Header.Length];

    public ReadOnlySpan<byte> Payload => _source.Slice(WalRecordHeader.Size, Header.PayloadLength);

    /// <summary>The operations of a chunk; a marker has none.</summary>
    public WalOperationReader Operations => new(this);

    /// <summary>Opens the columns of a chunk.</summary>
    public bool TryOpenColumns(out ChunkColumns columns, out DecodeError error) =>
        ChunkColumns.TryOpen(Payload, Header, out columns, out error);
}
