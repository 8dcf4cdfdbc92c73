using Varve.Format;

namespace Varve.Tests.Format.Records;

/// <summary>Each rule of the records: a writer refuses to break it, and a reader refuses bytes that do.</summary>
public class RecordRules
{
    public static TheoryData<string, int, byte[]> BrokenTables => new()
    {
        { "table descriptor of version 2 (this build reads 1)", 0, [2] },
        { "table length is 0", 34, [0, 0, 0, 0] },
        { "table length is out of range", 41, [0x80] },
        { "table has no rows", 58, [0] },
        { "table has more tombstones than rows", 66, [101] },
        { "table has more leases than puts", 74, [96] },
        { "smallest key is above the largest", 86, "q"u8.ToArray() },
        { "smallest key of a table is too long", 82, [0, 0, 1] },
    };

    public static TheoryData<string, int, byte[]> BrokenStates => new()
    {
        { "machine state of version 2 (this build reads 1)", 0, [2] },
        { "machine state with the flags 0x04", 2, [5] },
        { "live count is out of range", 42, [0x80] },
        { "machine state with the lease clock 2", 67, [2] },
        { "term run count is more than the bytes after it can hold", 68, [0xFF, 0xFF, 0xFF, 0xFF] },
        { "term runs are not ascending", 88, [1, 0] },
        { "term run begins above the last index", 88, [0xE9, 3] },
        { "term decreases", 96, [1] },
        { "term is above the last term", 96, [5] },
        { "outcome run length is out of range", 116, [0] },
        { "unused outcome bits are set", 121, [4] },
        { "outcome runs overlap or are out of order", 122, [0xDE] },
        { "outcome run ends above the last index", 122, [0xE2] },
        { "snapshot is above the last index", 135, [0x84, 4] },
        { "term is not 0 at index 0", 3, [0, 0] },
    };

    [Theory]
    [MemberData(nameof(BrokenTables))]
    public void BrokenTablesAreRejected(string reason, int at, byte[] patch)
    {
        Assert.False(TableDescriptorCodec.TryDecode(
            Patched(TableDescriptorCodec.Encode(Samples.Table), at, patch), out _, out var error));
        Assert.Equal(reason, error.Reason);
    }

    [Theory]
    [MemberData(nameof(BrokenStates))]
    public void BrokenStatesAreRejected(string reason, int at, byte[] patch)
    {
        Assert.False(MachineStateCodec.TryDecode(
            Patched(MachineStateCodec.Encode(Samples.State), at, patch), out _, out var error));
        Assert.Equal(reason, error.Reason);
    }

    [Fact]
    public void EmptyAndOverlongKeysAreNotWritten()
    {
        Refused(() => TableDescriptorCodec.Encode(Samples.Table with { SmallestKey = [] }));
        Refused(() => TableDescriptorCodec.Encode(Samples.Table with { LargestKey = new byte[65_536] }));
    }

    [Fact]
    public void BrokenStatesAreNotWritten()
    {
        Refused(() => MachineStateCodec.Encode(Samples.State with { LiveCount = -1 }));
        Refused(() => MachineStateCodec.Encode(Samples.State with { LeaseClock = (StoredLeaseClock)2 }));
        Refused(() => MachineStateCodec.Encode(Samples.State with { Snapshot = (1, 1, new byte[31]) }));
        Refused(() => MachineStateCodec.Encode(Samples.State with { Outcomes = [new OutcomeRun(1, 9, [1])] }));
        Refused(() => MachineStateCodec.Encode(Samples.State with { Outcomes = [new OutcomeRun(1, 9, [1, 2])] }));
        Refused(() => MachineStateCodec.Encode(Samples.State with { Outcomes = [new OutcomeRun(999, 3, [1])] }));
        Refused(() =>
            MachineStateCodec.Encode(Samples.State with { Outcomes = [new OutcomeRun(1, 3, [1]) { Refused = [1] }] }));
        Refused(() =>
            MachineStateCodec.Encode(Samples.State with { Outcomes = [new OutcomeRun(1, 3, [1]) { Refused = [0] }] }));
        Refused(() =>
            MachineStateCodec.Encode(Samples.State with { Outcomes = [new OutcomeRun(1, 3, [1]) { Refused = [8] }] }));
        Refused(() => MachineStateCodec.Encode(
            Samples.State with { Outcomes = [new OutcomeRun(1, 3, [1]) { Refused = [2, 0] }] }));
    }

    [Theory]
    [InlineData(63)]
    [InlineData(64)]
    [InlineData(65)]
    [InlineData(65_535)]
    public void LongKeyIsTruncatedWhenWritten(int length)
    {
        byte[] smallest = new byte[length], largest = new byte[length];
        largest[^1] = 1;
        var bytes = TableDescriptorCodec.Encode(Samples.Table with { SmallestKey = smallest, LargestKey = largest });
        Assert.True(TableDescriptorCodec.TryDecode(bytes, out var table, out _));
        Assert.Equal(smallest.Take(64), table.SmallestKey);
        Assert.Equal(largest.Take(64), table.LargestKey);
        Assert.Equal(bytes, TableDescriptorCodec.Encode(table));
    }

    [Fact]
    public void TruncatedBoundsLeaveOrderUndecided()
    {
        byte[] cut = [.. Enumerable.Repeat((byte)7, 64)];
        Assert.True(TableDescriptor.MayEndBefore([.. cut, 1], [.. cut, 2]));
        Assert.True(TableDescriptor.MayEndBefore(cut, cut));
        Assert.False(TableDescriptor.MayEndBefore(cut.AsSpan(1), cut.AsSpan(1)));
        Assert.False(TableDescriptor.MayEndBefore([8], cut));
        Assert.True(TableDescriptor.MayEndBefore([6], cut));
    }

    [Fact]
    public void UnknownTermMayLieBetweenKnownTerms()
    {
        var state =
            Samples.State with { Terms = [new TermRun(1, 3), new TermRun(5, TermRun.Unknown), new TermRun(9, 3)] };
        Assert.True(MachineStateCodec.TryDecode(MachineStateCodec.Encode(state), out _, out _));
    }

    [Fact]
    public void OutcomesReachMaximalIndex()
    {
        var state =
            new MachineState { LastIndex = ulong.MaxValue, Outcomes = [new OutcomeRun(ulong.MaxValue - 1, 2, [3])] };
        Assert.True(MachineStateCodec.TryDecode(MachineStateCodec.Encode(state), out _, out _));
        Refused(() => MachineStateCodec.Encode(state with { Outcomes = [new OutcomeRun(ulong.MaxValue, 2, [3])] }));
    }

    [Fact]
    public void BrokenEditsAreNotWritten()
    {
        Refused(() => VersionEditCodec.Encode(Samples.Edit with { Removed = [3, 3] }));
        Refused(() => VersionEditCodec.Encode(
            Samples.Edit with { Added = [new AddedTable(1, Samples.Table), new AddedTable(2, Samples.Table)] }));
        Refused(() => VersionEditCodec.Encode(Samples.Edit with { NextFileNumber = Samples.Table.Number }));
        Refused(() => VersionEditCodec.Encode(Samples.Edit with { NextFileNumber = VersionEdit.FileNumberLimit + 1 }));
    }

    [Fact]
    public void TableMayChangeRuns()
    {
        var edit = Samples.Edit with { Removed = [Samples.Table.Number] };
        Assert.True(VersionEditCodec.TryDecode(VersionEditCodec.Encode(edit), out _, out _));
    }

    [Fact]
    public void BrokenEditsAreRejected()
    {
        var bytes = VersionEditCodec.Encode(Samples.Edit with { State = null });
        Assert.Equal("version edit of version 9 (this build reads 1)", Reason(Patched(bytes, 0, [9])));
        Assert.Equal("version edit with the flags 0x04", Reason(Patched(bytes, 2, [4])));
        Assert.Equal("table number is not below the next file number", Reason(Patched(bytes, 3, [9])));
        Assert.Equal(
            "removed table count is more than the bytes after it can hold", Reason(Patched(bytes, 19, [0xFF, 0xFF])));
        Assert.Equal("table is removed twice", Reason(Patched(bytes, 31, [3])));
        Assert.Equal("table count is more than the bytes after it can hold", Reason(Patched(bytes, 39, [2])));
    }

    private static string Reason(byte[] bytes)
    {
        Assert.False(VersionEditCodec.TryDecode(bytes, out _, out var error));
        return error.Reason;
    }

    private static byte[] Patched(byte[] bytes, int at, byte[] patch)
    {
        var patched = (byte[])bytes.Clone();
        patch.CopyTo(patched, at);
        return patched;
    }

    private static void Refused(Func<byte[]> encode) => Assert.Throws<ArgumentException>(encode);
}
