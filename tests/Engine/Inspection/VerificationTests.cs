using Varve.Format;
using Varve.Inspection;
using Varve.Storage;
using Varve.Tests.Engine.Recovery;
using Xunit;

namespace Varve.Tests.Engine.Inspection;

/// <summary>A whole database is whole; each damage is found at its place, and one does not hide another.</summary>
public sealed class VerificationTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task IntactDatabaseHasNoProblem(bool deep)
    {
        using var specimen = await Specimen.Make();
        var problems = Verification.Check(Storages.Default, specimen.Directory, deep, out var totals);
        Assert.Empty(problems);
        Assert.Equal("database", totals.Kind);
        Assert.True(totals.Records > 0 && totals.Entries > 0 && totals.Files >= 5);
        Assert.Equal(deep, totals.Blocks > 20 && totals.Rows > 90);
    }

    [Theory]
    [InlineData(FileNames.Identity)]
    [InlineData(FileNames.Current)]
    public async Task DamagedOrMissingPointerFileIsNamed(string name)
    {
        using var specimen = await Specimen.Make();
        var path = specimen.Database.PathOf(name);
        Database.Flip(path, 20);
        Assert.Equal((path, 40), PlaceOf(Assert.Single(specimen.Check())));
        File.Delete(path);
        Assert.Equal((path, 0), PlaceOf(Assert.Single(specimen.Check())));
    }

    [Fact]
    public async Task DamagedManifestIsNamedAndTablesAreStillChecked()
    {
        using var specimen = await Specimen.Make();
        var manifest = specimen.Database.Files(FileNames.ManifestSuffix).Single();
        Database.Flip(manifest, 20);
        Database.Flip(specimen.Table(), 100);
        var problems = specimen.Check();
        Assert.Contains(problems, problem => PlaceOf(problem) == (manifest, 40));
        Assert.Contains(
            problems, problem => PlaceOf(problem) == (specimen.Table(), 0) && problem.Structure == "data block");
    }

    [Theory]
    [InlineData("data block", 0)]
    [InlineData("table filter", 2)]
    [InlineData("table index", 3)]
    [InlineData("table properties", 4)]
    [InlineData("table footer", 5)]
    public async Task EveryPartOfTableIsChecked(string structure, int part)
    {
        using var specimen = await Specimen.Make();
        var path = specimen.Table();
        var footer = Specimen.Footer(path);
        var block = Specimen.Blocks(path)[3];
        var (at, from, to) = part switch
        {
            0 => (block + 70, block, Specimen.Blocks(path)[4]),
            2 => (footer.Filter.Offset + 9, footer.Filter.Offset, footer.Index.Offset),
            3 => (footer.Index.Offset + 9, footer.Index.Offset, footer.Properties.Offset),
            4 => (footer.Properties.Offset + 9, footer.Properties.Offset, footer.Offset),
            _ => (footer.Offset + 9, footer.Offset, footer.Offset + TableFooter.Bytes),
        };
        Database.Flip(path, at);
        foreach (var deep in new[] { false, true })
        {
            var damages = Specimen.Damages(specimen.Check(deep)).ToArray();
            if (part == 0 && !deep)
            {
                Assert.Empty(damages);
                continue;
            }

            Assert.Contains(damages, problem => problem.Structure == structure);
            Assert.All(damages, problem => Assert.True(
                problem.File == path && problem.Offset >= from && problem.Offset < to, problem.ToString()));
        }
    }

    [Fact]
    public async Task LeasesOfTableAreChecked()
    {
        using var database = new Database();
        using (var machine = database.Open())
        {
            for (ulong i = 1; i <= 50; i++)
                machine.ApplyChunk(
                    [new ApplyEntry(i, 1, Command.Insert(new byte[] { (byte)i }, new byte[] { 1 }, 1_000_000 + i))],
                    new ApplyResult[1]);
            await machine.CompactAsync();
        }

        Assert.Empty(Verification.Check(Storages.Default, database.Directory, deep: true));
        var table = database.Files(FileNames.TableSuffix).Single();
        var leases = Specimen.Footer(table).Leases;
        Assert.Equal(50 * TableLeases.EntryBytes, leases.Length);
        Database.Flip(table, leases.Offset + 17);
        Assert.Equal(
            (table, leases.Offset),
            PlaceOf(Assert.Single(Verification.Check(Storages.Default, database.Directory, deep: false))));
    }

    [Fact]
    public async Task PaddingThatOnlyHashCoversIsChecked()
    {
        using var specimen = await Specimen.Make();
        var path = specimen.Table();
        var properties = Specimen.Footer(path).Properties;
        Assert.NotEqual(0, properties.End % 64);
        Database.Flip(path, properties.End);
        Assert.Equal((path, properties.End), PlaceOf(Assert.Single(specimen.Check())));
    }

    [Fact]
    public async Task SeveralDamagesAreAllReported()
    {
        using var specimen = await Specimen.Make();
        var table = specimen.Table();
        var blocks = Specimen.Blocks(table);
        var other = specimen.Database.Files(FileNames.TableSuffix).First(path => path != table);
        var segment = specimen.Database.LastSegment();
        var identity = specimen.Database.PathOf(FileNames.Identity);
        foreach (var block in (int[])[1, 4, 5]) Database.Flip(table, blocks[block] + 33);
        Database.Flip(table, Specimen.Footer(table).Filter.Offset);
        File.Delete(other);
        Database.Flip(segment, 40);
        Database.Flip(identity, 1);

        var places = Specimen.Damages(specimen.Check()).Select(PlaceOf).ToHashSet();
        (string, long)[] expected =
            [
                (identity, 0), (table, blocks[1]), (table, blocks[4]), (table, blocks[5]),
                (table, Specimen.Footer(table).Filter.Offset), (other, 0), (segment, 56)];
        Assert.Superset(expected.ToHashSet(), places);
    }

    [Fact]
    public async Task TruncatedTableIsReportedAtItsEnd()
    {
        using var specimen = await Specimen.Make();
        var path = specimen.Table();
        var blocks = Specimen.Blocks(path);
        using (var file = File.Open(path, FileMode.Open)) file.SetLength(blocks[6] + 10);
        var damages = specimen.Check();
        Assert.All(
            damages, problem => Assert.True(problem.File == path && problem.Offset >= blocks[6], problem.ToString()));
        Assert.Contains(damages, problem => problem.Structure == "table"
            && problem.Text.StartsWith("table length", StringComparison.Ordinal));
    }

    [Fact]
    public async Task TornTailIsInformationalWithItsLength()
    {
        using var specimen = await Specimen.Make();
        var segment = specimen.Database.LastSegment();
        var last = Database.Records(segment)[^1];
        Database.Flip(segment, last.Offset + 50);
        var problem = Assert.Single(specimen.Check());
        Assert.Equal((Severity.Remark, "log tail"), (problem.Severity, problem.Structure));
        Assert.Equal((segment, last.Offset), PlaceOf(problem));
        Assert.Contains($"{last.Length} bytes", problem.Text);
    }

    [Fact]
    public async Task DamagedDurableRecordAndAllAfterItAreReported()
    {
        using var specimen = await Specimen.Make();
        using (var machine = specimen.Database.Open(Specimen.Options with { Durability = Durability.Power }))
            NumberedLog.ApplyUpTo(machine, Specimen.Applied + 20, 2);
        var segment = specimen.Database.LastSegment();
        var records = Database.Records(segment);
        var (first, second) = (records[^6], records[^4]);
        Database.Flip(segment, first.Offset + 100);
        Database.Flip(segment, second.Offset + 100);
        var damages = Specimen.Damages(specimen.Check(deep: false)).Select(PlaceOf).ToArray();
        Assert.Equal([(segment, first.Offset), (segment, second.Offset)], damages);
    }

    [Fact]
    public async Task MissingSegmentIsReported()
    {
        using var specimen = await Specimen.Make();
        foreach (var path in specimen.Database.Files(FileNames.SegmentSuffix)) File.Delete(path);
        Assert.Contains(Specimen.Damages(specimen.Check()), problem => problem.Structure == "log");
    }

    [Fact]
    public async Task UnnamedFilesAreInformationalInDeepMode()
    {
        using var specimen = await Specimen.Make();
        string[] names = ["000000000900.vtab", "000000000901.vtab.tmp", "000000000903.vman", "notes.txt"];
        foreach (var name in names) File.WriteAllText(specimen.Database.PathOf(name), "?");
        Assert.Empty(specimen.Check(deep: false));
        var problems = specimen.Check();
        Assert.All(problems, problem => Assert.Equal(Severity.Remark, problem.Severity));
        Assert.Equal(
            names.Order(StringComparer.Ordinal),
            problems.Select(problem => Path.GetFileName(problem.File)).Order(StringComparer.Ordinal));
        Assert.Equal(
            "unknown file",
            problems.Single(problem => problem.File.EndsWith("notes.txt", StringComparison.Ordinal)).Structure);
    }

    [Fact]
    public async Task OpenDatabaseIsCheckedAtOneIndex()
    {
        using var specimen = await Specimen.Make();
        using (var machine = specimen.Database.Open(Specimen.Options))
        {
            var remark = Assert.Single(specimen.Check());
            Assert.Equal((Severity.Remark, "lock"), (remark.Severity, remark.Structure));
            Assert.Contains($"index {machine.LastApplied.Index}", remark.Text);
            var table = specimen.Table();
            Database.Flip(table, Specimen.Blocks(table)[1] + 80);
            var damage = Assert.Single(specimen.Check(), problem => problem.Severity == Severity.Damage);
            Assert.Equal((table, Specimen.Blocks(table)[1]), (damage.File, damage.Offset));
            Database.Flip(table, Specimen.Blocks(table)[1] + 80);
        }

        Assert.Empty(specimen.Check());
    }

    [Fact]
    public async Task OpenDatabaseIsDetectedWithoutLockFile()
    {
        if (!StorageOfTests.IsPosix) return; // it cannot be removed there
        using var specimen = await Specimen.Make();
        var repaired = Path.Combine(specimen.Database.Root, "repaired");
        using (var machine = specimen.Database.Open(Specimen.Options))
        {
            File.Delete(specimen.Database.PathOf(FileNames.Lock));
            var remark = Assert.Single(specimen.Check());
            Assert.Equal((Severity.Remark, "lock"), (remark.Severity, remark.Structure));
            Assert.Contains($"index {machine.LastApplied.Index}", remark.Text);
            Assert.Throws<AlreadyOpenException>(() => Repair.Run(Storages.Default, specimen.Directory, repaired));
        }

        Assert.Empty(specimen.Check());
        Assert.False(File.Exists(specimen.Database.PathOf(FileNames.Lock)));
    }

    [Fact]
    public async Task InspectionChangesNothing()
    {
        using var specimen = await Specimen.Make(withSnapshot: true);
        Database.Flip(specimen.Table(), 100);
        File.Delete(specimen.Database.PathOf(FileNames.Lock));
        var before = State(specimen.Database.Root);
        foreach (var path in (string[])[specimen.Directory, specimen.Snapshot, specimen.Pack])
            foreach (var deep in new[] { false, true }) Verification.Check(Storages.Default, path, deep);
        Assert.Equal(before, State(specimen.Database.Root));
    }

    [Fact]
    public async Task SnapshotIsCheckedAsDirectoryAndPack()
    {
        using var specimen = await Specimen.Make(withSnapshot: true);
        foreach (var path in (string[])[specimen.Snapshot, specimen.Pack])
        {
            Assert.Empty(Verification.Check(Storages.Default, path, deep: true, out var totals));
            Assert.True(totals.Rows >= 90, totals.ToString());
        }

        var table = Directory.GetFiles(specimen.Snapshot, "*.vtab").MaxBy(path => new FileInfo(path).Length)!;
        var block = Specimen.Blocks(table)[2];
        var bytes = File.ReadAllBytes(table);
        var inPack = File.ReadAllBytes(specimen.Pack).AsSpan().IndexOf(bytes);
        Database.Flip(table, block + 20);
        Database.Flip(specimen.Pack, inPack + block + 20);
        Assert.Equal(
            (table, block),
            PlaceOf(Assert.Single(Verification.Check(Storages.Default, specimen.Snapshot, deep: true))));
        Assert.Equal(
            (specimen.Pack, inPack + block),
            PlaceOf(Assert.Single(Verification.Check(Storages.Default, specimen.Pack, deep: true))));

        Database.Flip(Path.Combine(specimen.Snapshot, SnapshotNames.Manifest), 3);
        Assert.Equal(2, Verification.Check(Storages.Default, specimen.Snapshot, deep: true).Count);
        File.Delete(table);
        Assert.Single(Verification.Check(Storages.Default, specimen.Snapshot, deep: true));
    }

    [Fact]
    public async Task PackIsCheckedUpToItsTrailer()
    {
        using var specimen = await Specimen.Make(withSnapshot: true);
        var length = new FileInfo(specimen.Pack).Length;
        Database.Flip(specimen.Pack, length - 1);
        Assert.Equal(
            (specimen.Pack, length - PackFormat.TrailerSize),
            PlaceOf(Assert.Single(Verification.Check(Storages.Default, specimen.Pack, deep: true))));
        using (var file = File.Open(specimen.Pack, FileMode.Open)) file.SetLength(length - 20);
        Assert.Equal(
            specimen.Pack,
            Assert.Single(Specimen.Damages(Verification.Check(Storages.Default, specimen.Pack, deep: false))).File);
    }

    private static (string File, long Offset) PlaceOf(Problem problem) => (problem.File, problem.Offset);

    private static List<(string Path, string Content, DateTime Written)> State(string root) =>
    [
        .. new DirectoryInfo(root).EnumerateFileSystemInfos("*", SearchOption.AllDirectories)
            .Append(new DirectoryInfo(root)).OrderBy(entry => entry.FullName, StringComparer.Ordinal)
            .Select(entry => (
                entry.FullName,
                entry is FileInfo file
                    ? Convert.ToHexString(
                        System.Security.Cryptography.SHA256.HashData(File.ReadAllBytes(file.FullName)))
                    : "",
                entry.LastWriteTimeUtc)),
    ];
}
