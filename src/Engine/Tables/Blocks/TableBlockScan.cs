using Varve.Format;
using Varve.Storage;

namespace Varve.Tables;

/// <summary>
/// Walks the data blocks of a table that cannot be opened, or that has damaged blocks, and checks each block by itself.
/// Without a valid index a block's header says where the next block begins, and behind a damaged block every multiple
/// of 64 is tried. Values and properties are valid until the next move. One thread.
/// </summary>
internal sealed class TableBlockScan : IDisposable
{
    private readonly IMapping _mapping;
    private readonly ulong _salt;
    private readonly long _end;
    private readonly TableIndexReader _index;
    private readonly bool _hasIndex;
    private readonly bool _isEndKnown;
    private int _number = -1;
    private DataBlockView _block;

    /// <summary>Opens a file for a scan.</summary>
    /// <param name="storage">The file system.</param>
    /// <param name="path">The file.</param>
    /// <param name="origin">The database that wrote the table; null if it is not known.</param>
    /// <param name="originNumber">The table's number in that database; without an origin the footer's is used.</param>
    // SAFETY: the index is validated against the footer, whose regions are inside the mapped length.
    public unsafe TableBlockScan(IStorage storage, string path, Guid? origin, ulong originNumber)
    {
        using var file = storage.Open(path, FileIntent.Read);
        var length = _end = file.Length;
        _mapping = file.Map(length, MappingAccess.Table);
        TableFooter? footer = null;
        if (length != 0 && TableParts.TryReadFooter(file, length, out footer, out _))
            (_end, _isEndKnown) = (footer!.DataLength, true);
        _salt = TableChecksum.Salt(
            origin ?? footer?.Origin ?? default,
            origin is null && footer is not null ? footer.OriginNumber : originNumber);
        if (footer is null || new TableParts(path, null, footer, _mapping, static _ => { }).Index is not { } shape)
            return;
        _index = new TableIndexReader(_mapping.Address + footer.Index.Offset, shape);
        _hasIndex = true;
    }

    /// <summary>The offset at which the block, or the damaged range, begins.</summary>
    public long Offset { get; private set; }

    /// <summary>The offset at which it ends.</summary>
    public long End { get; private set; }

    /// <summary>False if the range is damaged.</summary>
    public bool IsSound { get; private set; }

    /// <summary>
    /// True if the range reaches to the end of a file whose footer is lost: it may be a damaged block, or only the
    /// parts behind the data blocks.
    /// </summary>
    public bool IsRest => !IsSound && !_isEndKnown && End == _end;

    /// <summary>The damage of a range that is not sound.</summary>
    public DecodeError Error { get; private set; }

    /// <summary>The number of rows of a sound block.</summary>
    public int Count => _block.Count;

    /// <summary>Moves to the next block or damaged range; returns false at the end of the data.</summary>
    // SAFETY: the view is of a block that was just validated in this mapping.
    public unsafe bool MoveNext()
    {
        Offset = End;
        _number++;
        if (_hasIndex ? _number >= _index.BlockCount : Offset >= _end) return false;
        if (_hasIndex)
        {
            End = _index.BlockOffset(_number + 1);
            IsSound = DataBlock.TryValidate(Bytes(Offset, End), _salt, Offset, out DecodeError error);
            Error = error;
        }
        else
        {
            End = EndOfBlock(Offset, out DecodeError error);
            IsSound = End > Offset;
            Error = error;
            if (!IsSound) End = NextBlock(Offset);
        }
        if (IsSound) _block = new DataBlockView(_mapping.Address + Offset, _mapping.Address + Offset);
        return true;
    }

    public int KeyLength(int row) => _block.KeyLength(row);

    /// <summary>Writes a row's key, <see cref="KeyLength"/> bytes.</summary>
    public void CopyKeyTo(int row, Span<byte> destination) => _block.CopyKeyTo(row, destination);

    /// <summary>A row of a sound block; its value lives as long as the scan.</summary>
    public KeyVersion Row(int row) => _block.Row(row);

    public void Dispose() => _mapping.Dispose();

    // SAFETY: the callers' ranges are inside the data, which ends inside the mapping.
    private unsafe ReadOnlySpan<byte> Bytes(long from, long to) => new(_mapping.Address + from, (int)(to - from));

    private long NextBlock(long from)
    {
        for (var at = from + DataBlockHeader.Alignment; at < _end; at += DataBlockHeader.Alignment)
        {
            if (EndOfBlock(at, out _) > at) return at;
        }
        return _end;
    }

    /// <summary>The end of the block that begins at an offset; the offset itself if no block does.</summary>
    private long EndOfBlock(long offset, out DecodeError error)
    {
        error = new DecodeError(0, "block header", "is missing");
        if (_end - offset < 2 * DataBlockHeader.Alignment) return offset;
        var header = DataBlockShape.ReadHeader(Bytes(offset, offset + DataBlockHeader.Bytes));
        var extent = DataBlockHeader.Extent(header.Length);
        // The header first: a checksum is computed only of a range that could be a block.
        if (header.Count is 0 or > DataBlockHeader.RowsMax || header.RowsOffset > header.Length
            || extent > _end - offset || extent > int.MaxValue)
            return offset;
        return DataBlock.TryValidate(Bytes(offset, offset + extent), _salt, offset, out error)
            ? offset + extent
            : offset;
    }
}
