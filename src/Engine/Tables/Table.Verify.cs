using System.IO.Hashing;
using Varve.Format;
using Varve.Storage;

namespace Varve.Tables;

internal sealed unsafe partial class Table
{
    private const int VerifyReadBytes = 1 << 20;

    /// <summary>
    /// Checks everything there is to check: the hash of the whole file as the disk gives it, every block, the order of all
    /// keys, that each row is found by its key, tags and filter, the counts, and the leases.
    /// </summary>
    /// <param name="progress">Called now and then with the number of bytes done, up to twice the file's length.</param>
    /// <param name="token">Gives up.</param>
    /// <exception cref="CorruptionException">Something is not as it was written.</exception>
    public void Verify(Action<long>? progress = null, CancellationToken token = default)
    {
        VerifyHash(progress, token);
        long rows = 0, tombstones = 0, leased = 0;
        byte[] key = new byte[ushort.MaxValue], previous = new byte[ushort.MaxValue];
        int previousLength = 0;
        for (int number = 0; number < BlockCount; number++)
        {
            token.ThrowIfCancellationRequested();
            long offset = index.BlockOffset(number);
            CheckBlock(number);
            var block = new DataBlockView(index.Line(number), data + offset);
            for (int row = 0; row < block.Count; row++)
            {
                int length = block.KeyLength(row);
                block.CopyKeyTo(row, key);
                var current = new ReadOnlySpan<byte>(key, 0, length);
                if (previousLength != 0 && current.SequenceCompareTo(previous.AsSpan(0, previousLength)) <= 0)
                    throw new CorruptionException(Path, offset, "order of keys");
                TableRow content = VerifyLookup(current, block, number, row);
                tombstones += content.Kind == RecordKind.Tombstone ? 1 : 0;
                leased += content.Kind == RecordKind.LeasedPut ? 1 : 0;
                rows++;
                (key, previous, previousLength) = (previous, key, length);
            }
            progress?.Invoke(Descriptor.Length + index.BlockOffset(number + 1));
        }

        if (!previous.AsSpan(0, previousLength).SequenceEqual(largestKey))
            throw new CorruptionException(Path, footer.Properties.Offset, "largest key");
        if (rows != Properties.RowCount || tombstones != Properties.TombstoneCount)
            throw new CorruptionException(Path, footer.Properties.Offset, "counts of rows", $"{Properties.RowCount}, {Properties.TombstoneCount} tombstones", $"{rows}, {tombstones}");
        VerifyLeases(leased, token);
    }

    private TableRow VerifyLookup(ReadOnlySpan<byte> key, DataBlockView block, int number, int row)
    {
        ulong hash = KeyHash.Of(key);
        if (block.Tag(row) != DataBlock.TagOf(hash) || block.Find(key, hash) != row)
            throw new CorruptionException(Path, index.BlockOffset(number), "hash tags of a data block");
        if (!MayContain(hash))
            throw new CorruptionException(Path, footer.Filter.Offset, "table filter");
        if (!IsInRange(key) || index.Find(key) != number)
            throw new CorruptionException(Path, footer.Index.Offset, "table index");
        return block.Row(row);
    }

    /// <summary>
    /// Entries are distinct, for they ascend; so if each is of a leased row and there are as many as such rows, they are those rows.
    /// No list of them is made: how many there are is the file's word.
    /// </summary>
    private void VerifyLeases(long leased, CancellationToken token)
    {
        ReadOnlySpan<byte> leases = LeaseRegion;
        bool same = leased == leases.Length / TableLeases.EntryBytes;
        for (int at = 0; same && at < leases.Length; at += TableLeases.EntryBytes)
        {
            if ((at & 0xF_FFFF) == 0)
                token.ThrowIfCancellationRequested();
            TableLease lease = TableLeases.Read(leases[at..]);
            var block = new DataBlockView(index.Line((int)lease.Block), data + index.BlockOffset((int)lease.Block));
            same = lease.Row < block.Count && block.Row(lease.Row) is { Kind: RecordKind.LeasedPut } row && row.Deadline == lease.Deadline;
        }

        if (!same)
            throw new CorruptionException(Path, footer.Leases.Offset, "table leases");
    }

    /// <summary>Reads through the file, not the mapping, so that a bad sector is an exception and not the end of the process.</summary>
    private void VerifyHash(Action<long>? progress, CancellationToken token)
    {
        using IStorageFile file = storage.Open(Path, FileIntent.Read);
        if (file.Length != Descriptor.Length)
            throw new CorruptionException(Path, Math.Min(file.Length, Descriptor.Length), "table length", $"{Descriptor.Length}", $"{file.Length}");
        var hash = new XxHash128();
        byte[] buffer = GC.AllocateUninitializedArray<byte>((int)Math.Min(VerifyReadBytes, Descriptor.Length));
        for (long at = 0; at < Descriptor.Length; at += VerifyReadBytes)
        {
            token.ThrowIfCancellationRequested();
            Span<byte> part = buffer.AsSpan(0, (int)Math.Min(VerifyReadBytes, Descriptor.Length - at));
            file.Read(at, part);
            hash.Append(part);
            progress?.Invoke(at + part.Length);
        }
        UInt128 actual = hash.GetCurrentHashAsUInt128();
        if (actual != Descriptor.Hash)
            throw new CorruptionException(Path, 0, "table hash", $"{Descriptor.Hash:x32}", $"{actual:x32}");
    }
}
