using System.Buffers.Binary;

namespace Varve.Format;

/// <summary>
/// The leases of a table, strictly ascending by (deadline, block, row), so that those of an interval are found by
/// binary search.
/// <code>
///   each:  0  u64  deadline, Unix milliseconds
///          8  u32  block
///         12  u8   row
///         13  0 ..16
/// </code>
/// </summary>
internal static class TableLeases
{
    public const int EntryBytes = 16;

    public static void Write(Span<byte> destination, TableLease lease)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(destination, lease.Deadline);
        BinaryPrimitives.WriteUInt32LittleEndian(destination[8..], lease.Block);
        BinaryPrimitives.WriteUInt32LittleEndian(destination[12..], lease.Row);
    }

    /// <summary>Reads one entry of a validated region.</summary>
    public static TableLease Read(ReadOnlySpan<byte> entry) => new(
        BinaryPrimitives.ReadUInt64LittleEndian(entry), BinaryPrimitives.ReadUInt32LittleEndian(entry[8..]), entry[12]);

    /// <summary>Counts the entries of a validated region that have a deadline up to a time.</summary>
    public static int CountUpTo(ReadOnlySpan<byte> leases, ulong deadline)
    {
        int low = 0, high = leases.Length / EntryBytes;
        while (low < high)
        {
            var middle = (int)((uint)(low + high) >> 1);
            if (BinaryPrimitives.ReadUInt64LittleEndian(leases[(middle * EntryBytes)..]) <= deadline)
                low = middle + 1;
            else
                high = middle;
        }
        return low;
    }

    /// <summary>Checks order and bounds; whether a row has the deadline is for the reader of the row to see.</summary>
    public static bool TryValidate(ReadOnlySpan<byte> leases, int blockCount, out DecodeError error)
    {
        if (leases.Length % EntryBytes != 0)
            return Fail(leases.Length, "lease region", "ends inside an entry", out error);
        TableLease previous = default;
        for (var at = 0; at < leases.Length; at += EntryBytes)
        {
            var entry = leases.Slice(at, EntryBytes);
            var lease = Read(entry);
            if (lease.Block >= (uint)blockCount || lease.Row >= DataBlockHeader.RowsMax
                || entry[13..].ContainsAnyExcept((byte)0))
                return Fail(at, "lease", "names no row of this table", out error);
            if (at != 0 && lease.CompareTo(previous) <= 0) return Fail(at, "leases", "are not ascending", out error);
            previous = lease;
        }
        error = default;
        return true;
    }

    private static bool Fail(long offset, string field, string problem, out DecodeError error)
    {
        error = new DecodeError(offset, field, problem);
        return false;
    }
}
