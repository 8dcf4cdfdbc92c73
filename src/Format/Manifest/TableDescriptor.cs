namespace Varve.Format;

/// <summary>
/// The entry of a manifest, or of a snapshot, for one table file. Covers every byte of the file through its hash.
/// </summary>
internal sealed record TableDescriptor
{
    /// <summary>The database in which the file was first written; with number and hash the table's identity.</summary>
    public required Guid Origin { get; init; }

    /// <summary>The file's number in its origin; the file's name in a snapshot.</summary>
    public required ulong OriginNumber { get; init; }

    /// <summary>The file's number here, never reused; the file is <c>{Number:D12}.vtab</c>.</summary>
    public required ulong Number { get; init; }

    /// <summary>Length of the file in bytes.</summary>
    public required long Length { get; init; }

    /// <summary>XXH128 of the whole file.</summary>
    public required UInt128 Hash { get; init; }

    /// <summary>Rows, tombstones included.</summary>
    public required long RowCount { get; init; }

    public required long TombstoneCount { get; init; }

    /// <summary>Rows with a deadline.</summary>
    public required long LeaseCount { get; init; }

    /// <summary>
    /// First key; 1 to 65,535 bytes. Of one that was read, and has <see cref="BoundBytesMax"/>, perhaps only the first
    /// of them: the whole key is in the table (<see cref="TableProperties"/>).
    /// </summary>
    public required byte[] SmallestKey { get; init; }

    /// <summary>Last key; not below the first. Cut off as that is.</summary>
    public required byte[] LargestKey { get; init; }

    /// <summary>So much of a key is written: what a manifest costs does not depend on how long keys are.</summary>
    public const int BoundBytesMax = 64;

    /// <summary>The part of a key that is written.</summary>
    public static ReadOnlySpan<byte> BoundOf(ReadOnlySpan<byte> key) => key[..Math.Min(key.Length, BoundBytesMax)];

    /// <summary>
    /// False where the bounds alone tell that a table does not end before another begins. Those that were cut off may
    /// leave it open.
    /// </summary>
    public static bool MayEndBefore(ReadOnlySpan<byte> largest, ReadOnlySpan<byte> smallest)
    {
        var order = BoundOf(largest).SequenceCompareTo(BoundOf(smallest));
        return order != 0 ? order < 0 : largest.Length >= BoundBytesMax && smallest.Length >= BoundBytesMax;
    }
}
