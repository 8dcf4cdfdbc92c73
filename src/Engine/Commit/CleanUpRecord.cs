using Varve.Format;

namespace Varve.Commit;

/// <summary>One record of a lease clean-up.</summary>
/// <param name="Payload">Its payload, encoded.</param>
/// <param name="Deadline">The latest deadline of the leases that it and those before it report.</param>
internal readonly record struct CleanUpRecord(byte[] Payload, ulong Deadline)
{
    /// <summary>Bytes of keys after which another record begins, with the next deadline.</summary>
    public const int BytesEnough = 1 << 20;

    private const int BytesMax = 1 << 30;

    /// <summary>
    /// Encodes the report of a clean-up. Each record stands for itself: a crash between two of them leaves the leases
    /// of the second unreported. So leases of one deadline share a record, unless their keys take a gibibyte.
    /// </summary>
    /// <param name="leases">The leases in the order of their deadlines, at least one; one with an empty key raises the
    /// deadline alone.</param>
    /// <param name="bytesEnough">Bytes of keys after which another record begins.</param>
    public static List<CleanUpRecord> Encode(
        List<(ReadOnlyMemory<byte> Key, ulong Deadline)> leases, int bytesEnough = BytesEnough)
    {
        var records = new List<CleanUpRecord>();
        var keys = new List<ReadOnlyMemory<byte>>();
        var (bytes, last) = (0L, leases[0].Deadline);
        foreach (var (key, deadline) in leases)
        {
            if ((bytes >= bytesEnough && deadline != last) || bytes >= BytesMax)
            {
                records.Add(Of(keys, bytes, last));
                keys.Clear();
                bytes = 0;
            }

            last = deadline;
            if (key.IsEmpty) continue;
            keys.Add(key);
            bytes += key.Length;
        }

        records.Add(Of(keys, bytes, last));
        return records;
    }

    private static CleanUpRecord Of(List<ReadOnlyMemory<byte>> keys, long bytes, ulong deadline)
    {
        var payload = new byte[CleanUpMarker.SizeOf(keys.Count, bytes)];
        CleanUpMarker.Write(payload, deadline, keys.ToArray());
        return new CleanUpRecord(payload, deadline);
    }
}
