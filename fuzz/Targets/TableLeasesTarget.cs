using Varve.Format;
using static Varve.Fuzz.Targets.Contract;

namespace Varve.Fuzz.Targets;

/// <summary>The leases of a table: one byte number of blocks, then the entries.</summary>
internal static class TableLeasesTarget
{
    public static ulong Run(ReadOnlySpan<byte> input)
    {
        if (input.IsEmpty) return 0;
        var leases = input[1..];
        var valid = TableLeases.TryValidate(leases, input[0], out var error);
        ErrorFits(valid, error, leases.Length);
        if (!valid) return Feature.Of(error);

        Span<byte> again = stackalloc byte[TableLeases.EntryBytes];
        for (var at = 0; at < leases.Length; at += TableLeases.EntryBytes)
        {
            var lease = TableLeases.Read(leases[at..]);
            Holds(lease.Block < input[0] && lease.Row < DataBlockHeader.RowsMax, "a lease of a row of the table");
            TableLeases.Write(again, lease);
            Holds(again.SequenceEqual(leases.Slice(at, TableLeases.EntryBytes)), "the same bytes when encoded again");
            var count = TableLeases.CountUpTo(leases, lease.Deadline);
            Holds(
                count > at / TableLeases.EntryBytes && count <= leases.Length / TableLeases.EntryBytes,
                "a lease among those up to its deadline");
        }

        return Feature.Of("leases", Feature.Bucket(leases.Length));
    }

    public static IEnumerable<(string, byte[])> Seeds()
    {
        var bytes = new byte[1 + 3 * TableLeases.EntryBytes];
        bytes[0] = 2;
        TableLease[] leases = [new(5, 0, 1), new(5, 1, 0), new(1_700_000_000_000, 0, 47)];
        for (var i = 0; i < leases.Length; i++)
            TableLeases.Write(bytes.AsSpan(1 + i * TableLeases.EntryBytes), leases[i]);
        return [("none", [4]), ("three", bytes)];
    }
}
