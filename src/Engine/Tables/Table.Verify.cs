using System.IO.Hashing;
using Varve.Format;
using Varve.Storage;

namespace Varve.Tables;

internal sealed unsafe partial class Table
{
    private const int VerifyReadBytes = 1 << 20;

    /// <summary>As <see cref="FindDamage"/>, but ends at the first.</summary>
    /// <exception cref="CorruptionException">Something is not as it was written.</exception>
    public void Verify(Action<long>? progress = null, CancellationToken token = default) =>
        FindDamage(static damage => throw damage, progress, token);

    /// <summary>
    /// Checks everything there is to check: the hash of the whole file as the disk gives it, every block, the order of
    /// all keys, that each row is found by its key, tags and filter, the counts, and the leases.
    /// </summary>
    /// <param name="report">Takes each damage, in the order of the file but for the hash, which speaks only when
    /// nothing else did.</param>
    /// <param name="progress">Called now and then with the number of bytes done, up to twice the file's length.</param>
    /// <param name="token">Gives up.</param>
    public void FindDamage(
        Action<VarveException> report, Action<long>? progress = null, CancellationToken token = default)
    {
        // First, and through the file, not the mapping: so a bad sector is an exception and not the end of the process.
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

        // What a damaged block holds is not known, and then no count can be held against what is left.
        if (walk.DamagedBlocks.Count == 0 && VerifyCounts(walk) is { } miscount) Report(miscount);
        if (VerifyLeases(walk, token) is { } lease) Report(lease);
        VerifyGaps(Report);
        if (!isDamaged && hash != Descriptor.Hash)
            Report(CorruptionException.Of(
                Path, 0, "table", $"hash mismatch (manifest {Descriptor.Hash:x32}, computed {hash:x32})",
                $"{Descriptor.Hash:x32}", $"{hash:x32}"));

        void Report(VarveException damage)
        {
            isDamaged = true;
            report(damage);
        }
    }

    /// <summary>The first thing wrong with the rows of a sound block, or null.</summary>
    private CorruptionException? VerifyRows(int number, VerifyWalk walk)
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
                    Path, offset, "data block", $"key of row {row} in block {number} is not above the one before it");
            else if (number == 0 && row == 0 && !current.SequenceEqual(_smallestKey))
                fault ??= CorruptionException.Of(
                    Path, _footer.Properties.Offset, "table properties", "smallest key is not that of the first row");
            fault ??= VerifyLookup(current, hasher.Of(current), block, number, row);
            var content = block.Row(row);
            walk.Tombstones += content.Kind == RecordKind.Tombstone ? 1 : 0;
            walk.Leased += content.Kind == RecordKind.LeasedPut ? 1 : 0;
            walk.Rows++;
            walk.Advance(length);
        }
        return fault;
    }

    private CorruptionException? VerifyLookup(
        ReadOnlySpan<byte> key, ulong hash, DataBlockView block, int number, int row)
    {
        if (block.Tag(row) != DataBlock.TagOf(hash) || block.RowOf(key, hash) != row
            || block.Find(key, hash).ValueAddress != block.Row(row).ValueAddress)
            return CorruptionException.Of(
                Path, _index.BlockOffset(number), "data block",
                $"hash tag of row {row} in block {number} is not that of its key");
        if (!MayContain(hash))
            return CorruptionException.Of(
                Path, _footer.Filter.Offset, "table filter", $"filter lacks the key of row {row} in block {number}");
        if (BlockOf(key) != number || _index.Find(key) != number)
            return CorruptionException.Of(
                Path, _footer.Index.Offset, "table index",
                $"index leads to another block for row {row} of block {number}");
        return null;
    }

    private CorruptionException? VerifyCounts(VerifyWalk walk)
    {
        if (!walk.Previous.SequenceEqual(_largestKey))
            return CorruptionException.Of(
                Path, _footer.Properties.Offset, "table properties", "largest key is not that of the last row");
        return walk.Rows == Properties.RowCount && walk.Tombstones == Properties.TombstoneCount
            ? null
            : CorruptionException.Of(
                Path, _footer.Properties.Offset, "table properties",
                $"properties count {Properties.RowCount} rows and "
                    + $"{Properties.TombstoneCount} tombstones, blocks hold {walk.Rows} and {walk.Tombstones}");
    }

    /// <summary>
    /// Entries are distinct, for they ascend; so if each is of a leased row and there are as many as such rows, they
    /// are those rows. No list of them is made: how many there are is the file's word. Those of damaged blocks are not
    /// known.
    /// </summary>
    private CorruptionException? VerifyLeases(VerifyWalk walk, CancellationToken token)
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
                    Path, _footer.Leases.Offset + at, "table leases", "lease names a row without that deadline");
            known++;
        }
        return known == walk.Leased
            ? null
            : CorruptionException.Of(
                Path, _footer.Leases.Offset, "table leases", $"{known} leases, rows have {walk.Leased}");
    }

    /// <summary>Only zeros stand between the parts.</summary>
    private void VerifyGaps(Action<CorruptionException> report)
    {
        foreach (var region in (ReadOnlySpan<TableRegion>)[
            _footer.Leases, _footer.Filter, _footer.Index, _footer.Properties])
        {
            var gap = new ReadOnlySpan<byte>(_data + region.End, (int)(TableFooter.Align(region.End) - region.End));
            var at = gap.IndexOfAnyExcept((byte)0);
            if (at >= 0) report(CorruptionException.Of(Path, region.End + at, "table padding", "padding is not zero"));
        }
    }

    /// <summary>The file by its name; null when a writer beside a read-only engine has deleted it since.</summary>
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

    /// <summary>What a verification has seen of the rows so far.</summary>
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

        /// <summary>Room for the next key: of short keys there is no need for the longest that there may be.</summary>
        public byte[] KeyOf(int length)
        {
            if (_key.Length < length) _key = GC.AllocateUninitializedArray<byte>(Math.Max(256, length));
            return _key;
        }

        public void Advance(int length) => (_key, _previous, PreviousLength) = (_previous, _key, length);
    }
}
