using System.Buffers.Binary;
using System.IO.Hashing;
using Varve.Format;
using Varve.Memory;
using Varve.Storage;

namespace Varve.Tables;

/// <summary>
/// Writes one table: rows in strictly ascending order of keys, then <see cref="Finish"/>. The file is new and empty;
/// this class neither syncs nor closes it. After any exception the file is rubbish. One thread.
/// </summary>
internal sealed unsafe class TableWriter : IDisposable
{
    /// <summary>Values from here on go from the caller's memory to the output without a copy into a block.</summary>
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
    /// <param name="origin">The database that writes.</param>
    /// <param name="originNumber">The file's number there; with the origin the table's identity, which every checksum
    /// covers.</param>
    /// <param name="hashSeed">What the hashes of its keys are made with.</param>
    /// <param name="blockBytes">Where a data block is closed; a larger single row makes a larger block.</param>
    /// <param name="filterBitsPerKey">Bits of filter a key, 0 (none) to 32.</param>
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

    /// <summary>Blocks that are closed. Only then <see cref="EstimatedLength"/> grows by much.</summary>
    public int BlockCount => _blockOffsets.Count - 1;

    /// <summary>
    /// About how long the file would be if it were finished now; <see cref="long.MaxValue"/> when the table is as large
    /// as the format wants it, so that a caller who closes tables by their length closes this one in time.
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
    /// Adds a row above all before it; key and value are copied. The deadline is used for leased puts alone; a
    /// tombstone has no value.
    /// </summary>
    /// <exception cref="ArgumentException">The key is empty, longer than 65,535 bytes, or not above the last one; the
    /// value is longer than 1 GiB; or a tombstone has one.</exception>
    public void Add(ReadOnlySpan<byte> key, RecordKind kind, ulong deadline, ReadOnlySpan<byte> value)
    {
        fixed (byte* keyAddress = key, valueAddress = value) // pinned for the call, in which they are copied
            Add(
                new RowRef(keyAddress, key.Length, _hasher.Of(key), kind, deadline, valueAddress, value.Length),
                copiesValue: true);
    }

    /// <summary>
    /// As the other, but the hash is the caller's, of this table's seed, and the value is read from where it is, and
    /// stays there, until <see cref="Finish"/> or the disposal.
    /// </summary>
    /// <exception cref="ArgumentException">As of the other.</exception>
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

    /// <summary>Writes the regions and the footer. Syncing the file is the caller's.</summary>
    /// <exception cref="InvalidOperationException">No row was added, or the table is finished already.</exception>
    public TableDescriptor Finish()
    {
        if (RowCount == 0 || _finished) throw new InvalidOperationException("The table has no rows, or is finished.");
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

    /// <summary>The separator between the last key of the block before and the first of this one.</summary>
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
        _lastKey.Clear();
        _lastKey.AddRange(_block.LastKey);
        _block.WriteTo(_output, _salt, _lines);
        EndBlock();
    }

    private void WriteLargeRow(in RowRef row)
    {
        _largeRow.Resize((int)DataBlock.ExtentMax(1, row.Key.Length, 0));
        var checksum = new XxHash3(TableChecksum.Seed(_salt, _output.Position));
        var before = DataBlock.EncodeBeforeSingleValue(
            row.Key, row.Kind, row.ValueLength, DataBlock.TagOf(row.Hash), _largeRow.Span, out long length);
        AppendHashed(_largeRow.Span[..before], checksum);
        AppendHashed(new ReadOnlySpan<byte>(row.ValueAddress, row.ValueLength), checksum);

        Span<byte> end = stackalloc byte[2 * DataBlockHeader.Alignment];
        end.Clear();
        var trailer = row.Kind == RecordKind.LeasedPut ? sizeof(ulong) : 0;
        if (trailer != 0) BinaryPrimitives.WriteUInt64LittleEndian(end, row.Deadline);
        var zeros = (int)(DataBlockHeader.Extent(length) - DataBlockHeader.ChecksumBytes - length);
        AppendHashed(end[..(trailer + zeros)], checksum);
        BinaryPrimitives.WriteUInt64LittleEndian(end, checksum.GetCurrentHashAsUInt64());
        _output.Append(end[..DataBlockHeader.ChecksumBytes]);
        _lines.AddRange(_largeRow.Span[..DataBlockHeader.HeadsOffset]);
        _lastKey.Clear();
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
