using Varve.Format;

namespace Varve.Tables;

/// <summary>What a finished <see cref="TableWriter"/> wrote.</summary>
internal sealed record TableSummary
{
    public required Guid Origin { get; init; }

    public required ulong OriginNumber { get; init; }

    /// <summary>Bytes of the file.</summary>
    public required long Length { get; init; }

    /// <summary>XXH128 of the whole file.</summary>
    public required UInt128 Hash { get; init; }

    public required long RowCount { get; init; }

    public required long TombstoneCount { get; init; }

    public required long LeaseCount { get; init; }

    public required byte[] SmallestKey { get; init; }

    public required byte[] LargestKey { get; init; }

    /// <summary>The descriptor for a manifest that calls the file <paramref name="number"/>.</summary>
    public TableDescriptor Describe(ulong number) => new()
    {
        Origin = Origin,
        OriginNumber = OriginNumber,
        Number = number,
        Length = Length,
        Hash = Hash,
        RowCount = RowCount,
        TombstoneCount = TombstoneCount,
        LeaseCount = LeaseCount,
        SmallestKey = SmallestKey,
        LargestKey = LargestKey,
    };
}
