using System.Buffers.Binary;
using System.IO.Hashing;
using Varve.Format;
using Varve.Storage;

namespace Varve.Tables;

/// <summary>
/// Writes one table: rows in strictly ascending order of keys, then <see cref="Finish"/>. The file is new and empty; this
/// class neither syncs nor closes it. After any exception the file is rubbish. One thread.
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

    private readonly TableOutput output;
    private readonly TableRegionWriter regions;
    private readonly Guid origin;
    private readonly ulong originNumber;
    private readonly ulong salt;
    private readonly int filterBitsPerKey;

    private readonly ulong hashSeed;
    private readonly KeyHasher hasher;
    private readonly TableBlockBuilder block;
    private readonly NativeList<byte> largeRow = new();
    private readonly NativeList<byte> lastKey = new();
    private readonly NativeList<byte> lines = new();
    private readonly NativeList<uint> blockOffsets = new();
    private readonly NativeList<uint> separatorOffsets = new();
    private readonly NativeList<byte> separators = new();
    private readonly NativeList<ulong> hashes = new();
    private readonly NativeList<TableLease> leases = new();
    private byte[] smallestKey = [];
    private long tombstones;
    private bool finished;

    /// <summary>Begins a table.</summary>
    /// <param name="file">A new file.</param>
    /// <param name="origin">The database that writes.</param>
    /// <param name="originNumber">The file's number there; with the origin the table's identity, which every checksum covers.</param>
    /// <param name="hashSeed">What the hashes of its keys are made with.</param>
    /// <param name="blockBytes">Where a data block is closed; a larger single row makes a larger block.</param>
    /// <param name="filterBitsPerKey">Bits of filter a key, 0 (none) to 32.</param>
    public TableWriter(IStorageFile file, Guid origin, ulong originNumber, ulong hashSeed, int blockBytes, int filterBitsPerKey)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(filterBitsPerKey);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(filterBitsPerKey, TableFilter.BitsPerKeyMax);
        output = new TableOutput(file);
        salt = TableChecksum.Salt(origin, originNumber);
        regions = new TableRegionWriter(output, salt);
        block = new TableBlockBuilder(blockBytes, LargeValueBytes);
        (this.origin, this.originNumber, this.hashSeed, this.filterBitsPerKey) = (origin, originNumber, hashSeed, filterBitsPerKey);
        hasher = new KeyHasher(hashSeed);
        blockOffsets.Add(0);
        separatorOffsets.Add(0);
    }

    public long RowCount => hashes.Count;

    /// <summary>Blocks that are closed. Only then <see cref="EstimatedLength"/> grows by much.</summary>
    public int BlockCount => blockOffsets.Count - 1;

    /// <summary>
    /// About how long the file would be if it were finished now; <see cref="long.MaxValue"/> when the table is as large as
    /// the format wants it, so that a caller who closes tables by their length closes this one in time.
    /// </summary>
    public long EstimatedLength
    {
        get
        {
            if (separators.Count > SeparatorBytesFull || hashes.Count > RowsFull || leases.Count > LeasesFull || output.Position > DataBytesFull
                || blockOffsets.Count > TableIndexShape.BlocksMax - 64)
                return long.MaxValue;
            return output.Position + block.Bytes + TableFilter.Length(hashes.Count, filterBitsPerKey) + leases.Count * (long)TableLeases.EntryBytes
                + separators.Count + blockOffsets.Count * 81L + lastKey.Count * 2L + 512;
        }
    }

    /// <summary>Adds a row above all before it; key and value are copied. The deadline is used for leased puts alone; a tombstone has no value.</summary>
    /// <exception cref="ArgumentException">The key is empty, longer than 65,535 bytes, or not above the last one; the value is longer than 1 GiB; or a tombstone has one.</exception>
    public void Add(ReadOnlySpan<byte> key, RecordKind kind, ulong deadline, ReadOnlySpan<byte> value)
    {
        fixed (byte* keyAddress = key, valueAddress = value) // pinned for the call, in which they are copied
            Add(new RowRef(keyAddress, key.Length, hasher.Of(key), kind, deadline, valueAddress, value.Length), copiesValue: true);
    }

    /// <summary>As the other, but the hash is the caller's, of this table's seed, and the value is read from where it is, and stays there, until <see cref="Finish"/> or the disposal.</summary>
    /// <exception cref="ArgumentException">As of the other.</exception>
    public void Add(in RowRef row) => Add(row, copiesValue: false);

    private void Add(in RowRef row, bool copiesValue)
    {
        ReadOnlySpan<byte> key = row.Key;
        if (key.IsEmpty || key.Length > ushort.MaxValue)
            throw new ArgumentException("The key is not 1 to 65,535 bytes long.", nameof(row));
        if (row.ValueLength > ValueBytesMax)
            throw new ArgumentException("The value is longer than 1 GiB.", nameof(row));
        if (RowCount != 0 && key.SequenceCompareTo(LastKey) <= 0)
            throw new ArgumentException("The key is not above the one before it.", nameof(row));
        if (row.Kind == RecordKind.Tombstone && row.ValueLength != 0)
            throw new ArgumentException("The tombstone carries a value.", nameof(row));

        bool isLarge = row.ValueLength >= LargeValueBytes;
        if (block.Count != 0 && (isLarge || !block.HasRoomFor(key.Length, row.ValueLength)))
            WriteBlock();
        if (block.Count == 0)
            BeginBlock(key);

        if (row.Kind == RecordKind.LeasedPut)
            leases.Add(new TableLease(row.Deadline, (uint)BlockCount, (byte)block.Count));
        tombstones += row.Kind == RecordKind.Tombstone ? 1 : 0;
        hashes.Add(row.Hash);
        if (isLarge)
            WriteLargeRow(row);
        else
            block.Add(row, copiesValue);
    }

    /// <summary>Writes the regions and the footer. Syncing the file is the caller's.</summary>
    /// <exception cref="InvalidOperationException">No row was added, or the table is finished already.</exception>
    public TableSummary Finish()
    {
        if (RowCount == 0 || finished)
            throw new InvalidOperationException("The table has no rows, or is finished.");
        finished = true;
        if (block.Count != 0)
            WriteBlock();
        long dataLength = output.Position;
        byte[] largestKey = LastKey.ToArray();
        leases.Span.Sort();
        var properties = new TableProperties
        {
            RowCount = RowCount,
            TombstoneCount = tombstones,
            LeaseCount = leases.Count,
            BlockCount = BlockCount,
            SmallestDeadline = leases.Count == 0 ? 0 : leases.Span[0].Deadline,
            LargestDeadline = leases.Count == 0 ? 0 : leases.Span[^1].Deadline,
            SmallestKey = smallestKey,
            LargestKey = largestKey,
        };
        var footer = new TableFooter
        {
            Origin = origin,
            OriginNumber = originNumber,
            DataLength = dataLength,
            Leases = regions.WriteLeases(leases.Span),
            Filter = regions.WriteFilter(hashes.Span, filterBitsPerKey),
            Index = regions.WriteIndex(lines.Span, blockOffsets.Span, separatorOffsets.Span, separators.Span, smallestKey, largestKey),
            Properties = regions.WriteProperties(properties),
            HashSeed = hashSeed,
        };
        regions.WriteFooter(footer);
        long length = output.Position;
        return new TableSummary
        {
            Origin = origin,
            OriginNumber = originNumber,
            Length = length,
            Hash = output.Finish(),
            RowCount = RowCount,
            TombstoneCount = tombstones,
            LeaseCount = leases.Count,
            SmallestKey = smallestKey,
            LargestKey = largestKey,
        };
    }

    public void Dispose()
    {
        output.Dispose();
        regions.Dispose();
        block.Dispose();
        largeRow.Dispose();
        lastKey.Dispose();
        lines.Dispose();
        blockOffsets.Dispose();
        separatorOffsets.Dispose();
        separators.Dispose();
        hashes.Dispose();
        leases.Dispose();
    }

    /// <summary>The separator between the last key of the block before and the first of this one.</summary>
    private void BeginBlock(ReadOnlySpan<byte> key)
    {
        if (RowCount == 0)
        {
            smallestKey = key.ToArray();
            return;
        }
        separators.AddRange(TableIndex.Separator(lastKey.Span, key));
        separatorOffsets.Add((uint)separators.Count);
    }

    private void WriteBlock()
    {
        lastKey.Clear();
        lastKey.AddRange(block.LastKey);
        block.WriteTo(output, salt, lines);
        EndBlock();
    }

    private void WriteLargeRow(in RowRef row)
    {
        largeRow.Resize((int)DataBlock.ExtentMax(1, row.Key.Length, 0));
        var checksum = new XxHash3(TableChecksum.Seed(salt, output.Position));
        int before = DataBlock.EncodeBeforeSingleValue(row.Key, row.Kind, row.ValueLength, DataBlock.TagOf(row.Hash), largeRow.Span, out long length);
        AppendHashed(largeRow.Span[..before], checksum);
        AppendHashed(new ReadOnlySpan<byte>(row.ValueAddress, row.ValueLength), checksum);

        Span<byte> end = stackalloc byte[2 * DataBlockHeader.Alignment];
        end.Clear();
        int trailer = row.Kind == RecordKind.LeasedPut ? sizeof(ulong) : 0;
        if (trailer != 0)
            BinaryPrimitives.WriteUInt64LittleEndian(end, row.Deadline);
        int zeros = (int)(DataBlockHeader.Extent(length) - DataBlockHeader.ChecksumBytes - length);
        AppendHashed(end[..(trailer + zeros)], checksum);
        BinaryPrimitives.WriteUInt64LittleEndian(end, checksum.GetCurrentHashAsUInt64());
        output.Append(end[..DataBlockHeader.ChecksumBytes]);
        lines.AddRange(largeRow.Span[..DataBlockHeader.HeadsOffset]);
        lastKey.Clear();
        lastKey.AddRange(row.Key);
        EndBlock();
    }

    private void EndBlock() => blockOffsets.Add(checked((uint)(output.Position / DataBlockHeader.Alignment)));

    private ReadOnlySpan<byte> LastKey => block.Count != 0 ? block.LastKey : lastKey.Span;

    private void AppendHashed(ReadOnlySpan<byte> bytes, XxHash3 checksum)
    {
        checksum.Append(bytes);
        output.Append(bytes);
    }
}
