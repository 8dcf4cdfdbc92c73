using Varve.Format;
using Varve.Inspection;
using Varve.Snapshots;
using Varve.Storage;
using Varve.Tests.Engine.Recovery;
using Varve.Tests.Tables;
using Varve.Versions;
using Xunit;

namespace Varve.Tests.Engine.Inspection;

/// <summary>
/// Two tables of one run whose keys begin with the same bytes, as many as a manifest has of them: whether they overlap
/// is in the tables alone.
/// </summary>
public sealed class RunOrderTests : IDisposable
{
    private readonly Database _database = new();

    public static TheoryData<int, int, bool> Tables =>
        new() { { 1, 4, false }, { 4, 1, false }, { 1, 3, true }, { 3, 1, true }, { 1, 1, true } };

    private string Snapshot => Path.Combine(_database.Root, "snapshot");

    private string Pack => Path.Combine(_database.Root, "snapshot.varve");

    public void Dispose() => _database.Dispose();

    [Theory]
    [MemberData(nameof(Tables))]
    public void TablesOfDatabaseAreComparedByWholeKeys(int first, int second, bool overlap)
    {
        var id = Guid.NewGuid();
        Directory.CreateDirectory(_database.Directory);
        var added = AddTables(first, second, table => _database.PathOf(FileNames.Table(table.Number)));
        var state = MachineState.Empty(TestHash.Seed, StoredLeaseClock.Local);
        ManifestStore.Create(
            Storages.Default, _database.Directory, id, new FileNumbers(3),
            new VersionEdit
            {
                Replace = true,
                NextFileNumber = 3,
                FirstSegment = 9,
                State = state,
                Added = added
            }).Dispose();
        DurableFile.Replace(Storages.Default, _database.PathOf(FileNames.Identity), new PointerFile(id, 0).Encode());

        foreach (var deep in (bool[])[false, true])
        {
            // The log, which there is none of, is another matter.
            var damages = Specimen.Damages(Verification.Check(Storages.Default, _database.Directory, deep)).Where(
                problem => problem.Structure != "log");
            AssertFound(
                damages, overlap, _database.PathOf(FileNames.Table(second > first ? 2UL : 1UL)), first == second);
        }
    }

    [Theory]
    [MemberData(nameof(Tables))]
    public async Task TablesOfSnapshotAreComparedByWholeKeys(int first, int second, bool overlap)
    {
        Directory.CreateDirectory(Snapshot);
        var added = AddTables(first, second, table => Path.Combine(Snapshot, SnapshotNames.Table(table)));
        var state = MachineState.Empty(TestHash.Seed, StoredLeaseClock.Local);
        var manifest = SnapshotManifestCodec.Encode(
            new SnapshotManifest { DatabaseId = Guid.NewGuid(), State = state, Tables = added });
        await File.WriteAllBytesAsync(Path.Combine(Snapshot, SnapshotNames.Manifest), manifest);
        await using (var stream = File.Create(Pack)) await PackWriter.PackAsync(Storages.Default, Snapshot, stream);

        var later = Path.Combine(Snapshot, SnapshotNames.Table(added[second > first ? 1 : 0].Table));
        AssertFound(
            Specimen.Damages(Verification.Check(Storages.Default, Snapshot, deep: true)), overlap, later,
            first == second);
        AssertFound(Specimen.Damages(Verification.Check(Storages.Default, Pack, deep: true)), overlap, Pack, false);
    }

    private static void AssertFound(IEnumerable<Problem> damages, bool overlap, string path, bool isEither)
    {
        if (!overlap)
        {
            Assert.Empty(damages);
            return;
        }

        var damage = Assert.Single(damages);
        Assert.StartsWith("table of a run", damage.Structure, StringComparison.Ordinal);
        if (!isEither) Assert.Equal(path, damage.File);
    }

    /// <summary>
    /// Two tables of three rows each, numbered from a start, with their bounds as a manifest has them.
    /// </summary>
    private static AddedTable[] AddTables(int first, int second, Func<TableDescriptor, string> pathOf) =>
        [Add(1, first, pathOf), Add(2, second, pathOf)];

    private static AddedTable Add(ulong number, int from, Func<TableDescriptor, string> pathOf)
    {
        var written = TestTable.Write(
            Enumerable.Range(from, 3).Select(i => new TestRow(Key(i), RecordKind.Put, 0, [(byte)number])));
        var table = written.Descriptor with { Number = number };
        File.WriteAllBytes(pathOf(table), written.Bytes);
        return new AddedTable(1, table);
    }

    private static byte[] Key(int i)
    {
        var key = new byte[TableDescriptor.BoundBytesMax + 1];
        key[^1] = (byte)i;
        return key;
    }
}
