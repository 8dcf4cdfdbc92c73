using Varve.Format;

namespace Varve.Fuzz.Targets;

/// <summary>Valid records that seeds are made of.</summary>
internal static class Samples
{
    public static Guid Database { get; } = new("00112233-4455-6677-8899-aabbccddeeff");

    public static TableDescriptor Table { get; } = new()
    {
        Origin = Database,
        OriginNumber = 7,
        Number = 9,
        Length = 4096,
        Hash = new UInt128(0x0123_4567_89AB_CDEF, 0xFEDC_BA98_7654_3210),
        RowCount = 100,
        TombstoneCount = 5,
        LeaseCount = 3,
        SmallestKey = "apple"u8.ToArray(),
        LargestKey = "pear"u8.ToArray(),
    };

    public static MachineState State { get; } = new()
    {
        LastIndex = 1000,
        LastTerm = 4,
        LogTimeMs = 1_700_000_000_000,
        LocalTimeMs = 1_700_000_000_500,
        LiveCount = 95,
        CountedTimeMs = 1_700_000_000_400,
        CleanedTimeMs = 1_700_000_000_300,
        HashSeed = 0x0123_4567_89AB_CDEF,
        LeaseClock = StoredLeaseClock.Log,
        Terms = [new TermRun(1, 2), new TermRun(500, 4)],
        Outcomes = [new OutcomeRun(981, 10, [0xFF, 0x02]), new OutcomeRun(993, 8, [0xA5])],
        Snapshot = (900, 4, [.. Enumerable.Range(0, 32).Select(i => (byte)i)]),
        Mark = new LogMark("outer 7"u8),
    };

    public static VersionEdit Edit { get; } = new()
    {
        Replace = true,
        NextFileNumber = 12,
        FirstSegment = 10,
        State = State,
        Added = [new AddedTable(2, Table)],
    };

    public static VersionEdit Compaction { get; } = new()
    {
        NextFileNumber = 14,
        FirstSegment = 11,
        Removed = [9],
        Added = [new AddedTable(1, Table with { Number = 12 }), new AddedTable(
            1, Table with { Number = 13, SmallestKey = [0xFF], LargestKey = [0xFF, 0] })],
    };

    public static SnapshotManifest Manifest { get; } = new()
    {
        DatabaseId = Database,
        State = State,
        Tables = [new AddedTable(2, Table), new AddedTable(1, Table with { OriginNumber = 5, Number = 6 })],
    };
}
