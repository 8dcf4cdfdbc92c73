using System.IO.Hashing;
using Varve.Format;
using Varve.Memory;
using Varve.Storage;

namespace Varve.Tables;

/// <summary>
/// Writes one table: rows in strictly ascending order of keys, then <see cref="Finish"/>. The file is new and empty;
/// this class neither syncs nor closes it. On any exception the file is incomplete; delete it. One thread.
/// </summary>
internal sealed class TableWriter : IDisposable
{
    /// <summary>
    /// Values of this length and more go from the caller's memory to the output without a copy into a block.
    /// </summary>
    private const int LargeValueBytes = 256 << 10;

    private const int ValueBytesMax = 1 << 30;

    private const int SeparatorBytesFull = 512 << 20;
    private const int RowsFull = 1 << 27;
    private const int LeasesFull = 1 << 26;
    private const long DataBytesFull = 200L << 30;

    private readonly TableOutput _output;
    private readonly TableRegionWriter _regions;
    private readonly Guid _origin;
    private readonly ulong _originNumber;
    private readonly ulong _salt;
    private readonly int _filterBitsPerKey;

    private readonly ulong _hashSeed;
    private readonly KeyHasher _hasher;
    private readonly TableBlockBuilder _block;
    private readonly NativeList<byte> _largeRow = new();
    private readonly NativeList<byte> _lastKey = new();
    private readonly NativeList<byte> _lines = new();
    private readonly NativeList<uint> _blockOffsets = new();
    private readonly NativeList<uint> _separatorOffsets = new();
    private readonly NativeList<byte> _separators = new();
    private readonly NativeList<ulong> _hashes = new();
    private readonly NativeList<TableLease> _leases = new();
    private byte[] _smallestKey = [];
    private long _tombstones;
    private bool _finished;

    /// <summary>Begins a table.</summary>
    /// <param name="file">A new file.</param>
    /// <param name="origin">The database that writes the table.</param>
    /// <param name="originNumber">The file's number in that database. Origin and number are the table's identity, which
    /// every checksum covers.</param>
    /// <param name="hashSeed">The seed of its key hashes.</param>
    /// <param name="blockBytes">The length at which a data block is finished; a single larger row makes a larger
    /// block.</param>
    /// <param name="filterBitsPerKey">The number of filter bits a key, from 0 (no filter) to 32.</param>
    public TableWriter(
        IStorageFile file, Guid origin, ulong originNumber, ulong hashSeed, int blockBytes, int filterBitsPerKey)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(filterBitsPerKey);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(filterBitsPerKey, TableFilter.BitsPerKeyMax);
        _output = new TableOutput(file);
        _salt = TableChecksum.Salt(origin, originNumber);
        _regions = new TableRegionWriter(_output, _salt);
        _block = new TableBlockBuilder(blockBytes, LargeValueBytes);
        (_origin, _originNumber, _hashSeed, _filterBitsPerKey) = (origin, originNumber, hashSeed, filterBitsPerKey);
        _hasher = new KeyHasher(hashSeed);
        _blockOffsets.Add(0);
        _separatorOffsets.Add(0);
    }

    public long RowCount => _hashes.Count;

    /// <summary>The number of finished blocks. <see cref="EstimatedLength"/> grows mostly when it does.</summary>
    public int BlockCount => _blockOffsets.Count - 1;

    /// <summary>
    /// About the length of the file if it were finished now. <see cref="long.MaxValue"/> near a limit of the format, so
    /// that a caller that finishes tables by their length finishes this one in time.
    /// </summary>
    public long EstimatedLength
    {
        get
        {
            if (_separators.Count > SeparatorBytesFull || _hashes.Count > RowsFull || _leases.Count > LeasesFull
                || _output.Position > DataBytesFull
                || _blockOffsets.Count > TableIndexShape.BlocksMax - 64)
                return long.MaxValue;
            return _output.Position + _block.Bytes + TableFilter.Length(_hashes.Count, _filterBitsPerKey)
                + _leases.Count * (long)TableLeases.EntryBytes
                + _separators.Count + _blockOffsets.Count * 81L + _lastKey.Count * 2L + 512;
        }
    }

    /// <summary>
    /// Adds a row above all rows before it and copies key and value. Only a leased put uses the deadline; a tombstone
    /// has no value.
    /// </summary>
    /// <exception cref="ArgumentException">The key is empty, longer than 65,535 bytes, or not above the last one; the
    /// value is longer than 1 GiB; or a tombstone has one.</exception>
    // SAFETY: both spans are pinned during the call, which copies them.
    public unsafe void Add(ReadOnlySpan<byte> key, RecordKind kind, ulong deadline, ReadOnlySpan<byte> value)
    {
        fixed (byte* keyAddress = key, valueAddress = value)
            Add(
                new RowRef(keyAddress, key.Length, _hasher.Of(key), kind, deadline, valueAddress, value.Length),
                copiesValue: true);
    }

    /// <summary>
    /// Adds a row with a hash of this table's seed. Copies the key; the value must stay in place until
    /// <see cref="Finish"/> or the disposal.
    /// </summary>
    /// <exception cref="ArgumentException">As for the other overload.</exception>
    public void Add(in RowRef row) => Add(row, copiesValue: false);

    private void Add(in RowRef row, bool copiesValue)
    {
        var key = row.Key;
        if (key.IsEmpty || key.Length > ushort.MaxValue)
            throw new ArgumentException("The key is not 1 to 65,535 bytes long.", nameof(row));
        if (row.ValueLength > ValueBytesMax)
            throw new ArgumentException("The value is longer than 1 GiB.", nameof(row));
        if (RowCount != 0 && key.SequenceCompareTo(LastKey) <= 0)
            throw new ArgumentException("The key is not above the one before it.", nameof(row));
        if (row.Kind == RecordKind.Tombstone && row.ValueLength != 0)
            throw new ArgumentException("The tombstone carries a value.", nameof(row));

        var isLarge = row.ValueLength >= LargeValueBytes;
        if (_block.Count != 0 && (isLarge || !_block.HasRoomFor(key.Length, row.ValueLength))) WriteBlock();
        if (_block.Count == 0) BeginBlock(key);

        if (row.Kind == RecordKind.LeasedPut)
            _leases.Add(new TableLease(row.Deadline, (uint)BlockCount, (byte)_block.Count));
        _tombstones += row.Kind == RecordKind.Tombstone ? 1 : 0;
        _hashes.Add(row.Hash);
        if (isLarge)
            WriteLargeRow(row);
        else
            _block.Add(row, copiesValue);
    }

    /// <summary>
    /// Writes the regions and the footer and returns the table's descriptor. The caller syncs the file.
    /// </summary>
    /// <exception cref="InvalidOperationException">No row was added, or the table is already finished.</exception>
    public TableDescriptor Finish()
    {
        if (RowCount == 0 || _finished)
            throw new InvalidOperationException("The table has no rows or is already finished.");
        _finished = true;
        if (_block.Count != 0) WriteBlock();
        var dataLength = _output.Position;
        var largestKey = LastKey.ToArray();
        _leases.Span.Sort();
        var properties = new TableProperties
        {
            RowCount = RowCount,
            TombstoneCount = _tombstones,
            LeaseCount = _leases.Count,
            BlockCount = BlockCount,
            SmallestDeadline = _leases.Count == 0 ? 0 : _leases.Span[0].Deadline,
            LargestDeadline = _leases.Count == 0 ? 0 : _leases.Span[^1].Deadline,
            SmallestKey = _smallestKey,
            LargestKey = largestKey,
        };
        var footer = new TableFooter
        {
            Origin = _origin,
            OriginNumber = _originNumber,
            DataLength = dataLength,
            Leases = _regions.WriteLeases(_leases.Span),
            Filter = _regions.WriteFilter(_hashes.Span, _filterBitsPerKey),
            Index = _regions.WriteIndex(
                _lines.Span, _blockOffsets.Span, _separatorOffsets.Span, _separators.Span, _smallestKey, largestKey),
            Properties = _regions.WriteProperties(properties),
            HashSeed = _hashSeed,
        };
        _regions.WriteFooter(footer);
        var length = _output.Position;
        return new TableDescriptor
        {
            Origin = _origin,
            OriginNumber = _originNumber,
            Number = _originNumber,
            Length = length,
            Hash = _output.Finish(),
            RowCount = RowCount,
            TombstoneCount = _tombstones,
            LeaseCount = _leases.Count,
            SmallestKey = _smallestKey,
            LargestKey = largestKey,
        };
    }

    public void Dispose()
    {
        _output.Dispose();
        _regions.Dispose();
        _block.Dispose();
        _largeRow.Dispose();
        _lastKey.Dispose();
        _lines.Dispose();
        _blockOffsets.Dispose();
        _separatorOffsets.Dispose();
        _separators.Dispose();
        _hashes.Dispose();
        _leases.Dispose();
    }

    /// <summary>Adds the separator between the last key of the previous block and the first key of this one.</summary>
    private void BeginBlock(ReadOnlySpan<byte> key)
    {
        if (RowCount == 0)
        {
            _smallestKey = key.ToArray();
            return;
        }
        _separators.AddRange(TableIndex.Separator(_lastKey.Span, key));
        _separatorOffsets.Add((uint)_separators.Count);
    }

    private void WriteBlock()
    {
        _lastKey.DropItems();
        _lastKey.AddRange(_block.LastKey);
        _block.WriteTo(_output, _salt, _lines);
        EndBlock();
    }

    // SAFETY: the caller of Add keeps the value in place, with the length that the row says.
    private unsafe void WriteLargeRow(in RowRef row)
    {
        _largeRow.Resize((int)DataBlock.ExtentMax(1, row.Key.Length, 0));
        var checksum = new XxHash3(TableChecksum.Seed(_salt, _output.Position));
        var before = DataBlock.EncodeBeforeSingleValue(
            row.Key, row.Kind, row.ValueLength, DataBlock.TagOf(row.Hash), _largeRow.Span, out long length);
        AppendHashed(_largeRow.Span[..before], checksum);
        AppendHashed(new ReadOnlySpan<byte>(row.ValueAddress, row.ValueLength), checksum);

        Span<byte> end = stackalloc byte[2 * DataBlockHeader.Alignment];
        end.Clear();
        var trailer = DataBlock.WriteTrailer(row.Kind, row.Deadline, end);
        var zeros = (int)(DataBlockHeader.Extent(length) - DataBlockHeader.ChecksumBytes - length);
        AppendHashed(end[..(trailer + zeros)], checksum);
        DataBlock.WriteChecksum(end, checksum.GetCurrentHashAsUInt64());
        _output.Append(end[..DataBlockHeader.ChecksumBytes]);
        _lines.AddRange(_largeRow.Span[..DataBlockHeader.HeadsOffset]);
        _lastKey.DropItems();
        _lastKey.AddRange(row.Key);
        EndBlock();
    }

    private void EndBlock() => _blockOffsets.Add(checked((uint)(_output.Position / DataBlockHeader.Alignment)));

    private ReadOnlySpan<byte> LastKey => _block.Count != 0 ? _block.LastKey : _lastKey.Span;

    private void AppendHashed(ReadOnlySpan<byte> bytes, XxHash3 checksum)
    {
        checksum.Append(bytes);
        _output.Append(bytes);
    }
}
