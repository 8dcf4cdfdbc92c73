using Varve.Format;
using Varve.Versions;
using Xunit;

namespace Varve.Tests.Engine.Versions;

/// <summary>
/// A manifest truncates keys: tables of a run whose bounds share the same bytes still follow in the order of their
/// keys.
/// </summary>
public sealed class ManifestContentTests
{
    [Fact]
    public void TablesWithEqualTruncatedBoundsDoNotOverlap()
    {
        var shared = new byte[TableDescriptor.BoundBytesMax];
        byte[] above = [1, .. shared[1..]];
        var content = new ManifestContent();
        content.Apply(new VersionEdit
        {
            Replace = true,
            NextFileNumber = 9,
            FirstSegment = 1,
            State = MachineState.Empty(0, StoredLeaseClock.Local),
            Added = [new AddedTable(1, Table(5, shared, above)), new AddedTable(1, Table(6, shared, shared))],
        });
        Assert.Null(content.FindOverlap());
        Assert.Equal([6, 5], content.Runs.Single().Select(table => table.Table.Number));
    }

    private static TableDescriptor Table(ulong number, byte[] smallest, byte[] largest) => new()
    {
        Origin = Guid.Empty,
        OriginNumber = number,
        Number = number,
        Length = 1,
        Hash = 0,
        RowCount = 2,
        TombstoneCount = 0,
        LeaseCount = 0,
        SmallestKey = smallest,
        LargestKey = largest,
    };
}
