using System.IO.Hashing;
using Varve.Contract;
using Varve.Format;
using Varve.Storage;

namespace Varve.Tables;

internal sealed partial class Table
{
    private const int VerifyReadBytes = 1 << 20;

    /// <summary>Checks the whole table like <see cref="FindDamage"/>, but throws the first damage.</summary>
    /// <exception cref="CorruptionException">The table is damaged.</exception>
    public void Verify(Action<long>? progress = null, CancellationToken token = default) =>
        FindDamage(static damage => throw damage, progress, token);

    /// <summary>
    /// Checks the whole table: the hash of the file as the disk returns it, every block, the order of all keys, the
    /// lookup of each row by key, tag and filter, the counts, the leases and the padding.
    /// </summary>
    /// <param name="report">Receives each damage in the order of the file. A wrong hash comes last, and only if there
    /// is no other damage.</param>
    /// <param name="progress">Called at times with the number of bytes done, up to twice the file's length.</param>
    /// <param name="token">Cancels the check.</param>
    public void FindDamage(
        Action<VarveException> report, Action<long>? progress = null, CancellationToken token = default)
    {
        // First, and through the file: a bad sector is an exception there, and the end of the process in the mapping.
        var hash = HashFile(progress, token);
        var isDamaged = false;
        var walk = new VerifyWalk();
        for (var number = 0; number < BlockCount; number++)
        {
            token.ThrowIfCancellationRequested();
            if (FaultOf(number) is { } damage)
            {
                walk.DamagedBlocks.Add(number);
                Report(damage);
            }
            else if (VerifyRows(number, walk) is { } fault)
            {
                Report(fault);
            }
            progress?.Invoke(Descriptor.Length + _index.BlockOffset(number + 1));
        }

        // The rows of a damaged block are unknown, and the counts with them.
        if (walk.DamagedBlocks.Count == 0 && VerifyCounts(walk) is { } miscount) Report(miscount);
        if (VerifyLeases(walk, token) is { } lease) Report(lease);
        VerifyGaps(Report);
        if (!isDamaged && hash != Descriptor.Hash)
            Report(CorruptionException.Of(
                Path, 0, CorruptionKind.Table, $"hash mismatch (manifest {Descriptor.Hash:x32}, computed {hash:x32})",
                $"{Descriptor.Hash:x32}", $"{hash:x32}"));

        void Report(VarveException damage)
        {
            isDamaged = true;
            report(damage);
        }
    }

    /// <summary>The first damage among the rows of a sound block, or null.</summary>
    // SAFETY: the block was checked in this mapping.
    private unsafe CorruptionException? VerifyRows(int number, VerifyWalk walk)
    {
        var offset = _index.BlockOffset(number);
        var block = new DataBlockView(_index.Line(number), _data + offset);
        var hasher = new KeyHasher(HashSeed);
        CorruptionException? fault = null;
        for (var row = 0; row < block.Count; row++)
        {
            var length = block.KeyLength(row);
            var key = walk.KeyOf(length);
            block.CopyKeyTo(row, key);
            var current = new ReadOnlySpan<byte>(key, 0, length);
            if (walk.PreviousLength != 0 && current.SequenceCompareTo(walk.Previous) <= 0)
                fault ??= CorruptionException.Of(
                    Path, offset, CorruptionKind.DataBlock,
                    $"key of row {row} in block {number} is not above the one before it");
            else if (number == 0 && row == 0 && !current.SequenceEqual(_smallestKey))
                fault ??= CorruptionException.Of(
                    Path, _footer.Properties.Offset, CorruptionKind.TableProperties,
                    "smallest key is not that of the first row");
            fault ??= VerifyLookup(current, hasher.Of(current), block, number, row);
            var content = block.Row(row);
            walk.Tombstones += content.Kind == RecordKind.Tombstone ? 1 : 0;
            walk.Leased += content.Kind == RecordKind.LeasedPut ? 1 : 0;
            walk.Rows++;
            walk.SetPrevious(length);
        }
        return fault;
    }

    // SAFETY: compares the addresses of two rows and reads nothing through them.
    private unsafe CorruptionException? VerifyLookup(
        ReadOnlySpan<byte> key, ulong hash, DataBlockView block, int number, int row)
    {
        if (block.Tag(row) != DataBlock.TagOf(hash) || block.RowOf(key, hash) != row
            || block.Find(key, hash).ValueAddress != block.Row(row).ValueAddress)
            return CorruptionException.Of(
                Path, _index.BlockOffset(number), CorruptionKind.DataBlock,
                $"hash tag of row {row} in block {number} is not that of its key");
        if (!MayContain(hash))
            return CorruptionException.Of(
                Path, _footer.Filter.Offset, CorruptionKind.TableFilter,
                $"filter lacks the key of row {row} in block {number}");
        if (BlockOf(key) != number || _index.Find(key) != number)
            return CorruptionException.Of(
                Path, _footer.Index.Offset, CorruptionKind.TableIndex,
                $"index leads to another block for row {row} of block {number}");
        return null;
    }

    private CorruptionException? VerifyCounts(VerifyWalk walk)
    {
        if (!walk.Previous.SequenceEqual(_largestKey))
            return CorruptionException.Of(
                Path, _footer.Properties.Offset, CorruptionKind.TableProperties,
                "largest key is not that of the last row");
        return walk.Rows == Properties.RowCount && walk.Tombstones == Properties.TombstoneCount
            ? null
            : CorruptionException.Of(
                Path, _footer.Properties.Offset, CorruptionKind.TableProperties,
                $"properties count {Properties.RowCount} rows and "
                    + $"{Properties.TombstoneCount} tombstones, blocks hold {walk.Rows} and {walk.Tombstones}");
    }

    /// <summary>
    /// Entries are distinct, since they ascend. So if each names a leased row and there are as many entries as leased
    /// rows, they are those rows. No list of them is made, since the file alone says how many there are. Entries of
    /// damaged blocks are left out.
    /// </summary>
    // SAFETY: leases name existing blocks (checked at open), and those that are read here were found sound; the row is
    // checked against the block's count.
    private unsafe CorruptionException? VerifyLeases(VerifyWalk walk, CancellationToken token)
    {
        var region = LeaseRegion;
        long known = 0;
        for (var at = 0; at < region.Length; at += TableLeases.EntryBytes)
        {
            if ((at & 0xF_FFFF) == 0) token.ThrowIfCancellationRequested();
            var lease = TableLeases.Read(region[at..]);
            if (walk.DamagedBlocks.Contains((int)lease.Block)) continue;
            var block = new DataBlockView(_index.Line((int)lease.Block), _data + _index.BlockOffset((int)lease.Block));
            if (lease.Row >= block.Count || block.Row(lease.Row) is not { Kind: RecordKind.LeasedPut } row
                || row.Deadline != lease.Deadline)
                return CorruptionException.Of(
                    Path, _footer.Leases.Offset + at, CorruptionKind.TableLeases,
                    "lease names a row without that deadline");
            known++;
        }
        return known == walk.Leased
            ? null
            : CorruptionException.Of(
                Path, _footer.Leases.Offset, CorruptionKind.TableLeases, $"{known} leases, rows have {walk.Leased}");
    }

    /// <summary>Checks that only zeros stand between the parts.</summary>
    // SAFETY: a region is inside the mapping, and another part, or the footer, follows its padding.
    private unsafe void VerifyGaps(Action<CorruptionException> report)
    {
        foreach (var region in (ReadOnlySpan<TableRegion>)[
            _footer.Leases, _footer.Filter, _footer.Index, _footer.Properties])
        {
            var gap = new ReadOnlySpan<byte>(_data + region.End, (int)(TableFooter.Align(region.End) - region.End));
            var at = gap.IndexOfAnyExcept((byte)0);
            if (at >= 0) report(CorruptionException.Of(Path, region.End + at, "table padding", "padding is not zero"));
        }
    }

    /// <summary>Opens the file by its name; null if a writer beside this read-only engine has deleted it.</summary>
    private IStorageFile? TryOpenFile()
    {
        try
        {
            return _storage.Open(Path, FileIntent.Read);
        }
        catch (FileNotFoundException)
        {
            return null;
        }
    }

    private UInt128 HashFile(Action<long>? progress, CancellationToken token)
    {
        using var file = TryOpenFile();
        var hash = new XxHash128();
        var buffer = GC.AllocateUninitializedArray<byte>((int)Math.Min(VerifyReadBytes, Descriptor.Length));
        for (long at = 0; at < Descriptor.Length; at += buffer.Length)
        {
            token.ThrowIfCancellationRequested();
            var part = buffer.AsSpan(0, (int)Math.Min(buffer.Length, Descriptor.Length - at));
            if (file is null) Bytes(at, part.Length).CopyTo(part);
            else file.Read(at, part);
            hash.Append(part);
            progress?.Invoke(at + part.Length);
        }
        return hash.GetCurrentHashAsUInt128();
    }

    /// <summary>The counts and keys of the rows that a verification has seen so far.</summary>
    private sealed class VerifyWalk
    {
        private byte[] _key = [];
        private byte[] _previous = [];

        public int PreviousLength { get; private set; }

        public ReadOnlySpan<byte> Previous => _previous.AsSpan(0, PreviousLength);

        public long Leased { get; set; }

        public HashSet<int> DamagedBlocks { get; } = [];

        public long Rows { get; set; }

        public long Tombstones { get; set; }

        /// <summary>Returns room for the next key, which grows with the keys.</summary>
        public byte[] KeyOf(int length)
        {
            if (_key.Length < length) _key = GC.AllocateUninitializedArray<byte>(Math.Max(256, length));
            return _key;
        }

        public void SetPrevious(int length) => (_key, _previous, PreviousLength) = (_previous, _key, length);
    }
}
