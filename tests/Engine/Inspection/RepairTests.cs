using System.Text;
using Varve.Inspection;
using Varve.Storage;
using Varve.Tests.Engine.Recovery;
using Xunit;

namespace Varve.Tests.Engine.Inspection;

/// <summary>Repair saves readable data, lists lost data, and writes an ordinary database.</summary>
public sealed class RepairTests
{
    [Fact]
    public async Task RepairOfIntactDatabaseKeepsState()
    {
        using var specimen = await Specimen.Make(withSnapshot: true);
        foreach (var path in (string[])[specimen.Directory, specimen.Snapshot, specimen.Pack])
        {
            var report = Run(specimen, path, out var output);
            Assert.Empty(report.Losses);
            Assert.True(report.IsExact);
            using var machine = LsmStateMachine.Open(output, Specimen.Options);
            Assert.Equal(Specimen.Applied, NumberedLog.AssertIsWhole(machine));
            NumberedLog.ApplyUpTo(machine, Specimen.Applied + 100);
            NumberedLog.AssertIsWhole(machine);
        }
    }

    [Fact]
    public async Task RepairSavesAllBlocksButDamagedOne()
    {
        using var specimen = await Make(1200, compactAtEnd: true);
        var before = Entries(specimen.Directory);
        var table = specimen.Table();
        var blocks = Specimen.Blocks(table);
        var lost = DataBlockRows(table, blocks[3]);
        Database.Flip(table, blocks[3] + 80);

        var report = Run(specimen, specimen.Directory, out var output);
        Assert.False(report.IsExact);
        var loss = Assert.Single(report.Losses);
        Assert.Equal((table, blocks[3]), (loss.File, loss.Offset));
        var after = Entries(output);
        var missing = before.Keys.Except(after.Keys).ToArray();
        Assert.Equal(lost, missing.Length);
        Assert.All(missing, key => Assert.True(
            string.CompareOrdinal(key, Text(loss.After!)) > 0 && string.CompareOrdinal(key, Text(loss.Before!)) < 0));
        Assert.All(after, pair => Assert.Equal(before[pair.Key], pair.Value));
        Assert.Equal(1200UL, report.LastApplied.Index);
    }

    [Fact]
    public void LogClockDatabaseIsVerifiedBesideItsOwnerAndRepaired()
    {
        using var database = new Database();
        using (var machine = database.Open(Database.Small with { LeaseClock = LeaseClock.Log }))
        {
            NumberedLog.ApplyUpTo(machine, 100);
            Assert.DoesNotContain(
                Verification.Check(Storages.Default, database.Directory, deep: true),
                problem => problem.Severity == Severity.Damage);
        }

        var output = Path.Combine(database.Root, "repaired");
        Assert.True(Repair.Run(Storages.Default, database.Directory, output).IsExact);
        using var repaired = LsmStateMachine.Open(output, Database.Small with { LeaseClock = LeaseClock.Log });
        Assert.Equal(100UL, NumberedLog.AssertIsWhole(repaired));
    }

    [Fact]
    public async Task BrokenLogIsReportedAsOneLoss()
    {
        using var specimen = await Make(1200, compactAtEnd: false);
        var segments = specimen.Database.Files(FileNames.SegmentSuffix)
            .Select(path => (Path: path, Records: Database.Records(path))).First(segment => segment.Records.Count > 5);
        var record = segments.Records[2];
        Database.Flip(segments.Path, record.Offset + 90);
        var report = Run(specimen, specimen.Directory, out _);
        Assert.True(report.IsExact);
        var loss = Assert.Single(report.Losses);
        Assert.Equal(
            (segments.Path, record.Offset, $"entries {record.FirstIndex} to 1200"),
            (loss.File, loss.Offset, loss.What));
    }

    [Theory]
    [InlineData("footer")]
    [InlineData("index")]
    [InlineData("filter")]
    [InlineData("properties")]
    public async Task TableWithIntactBlocksLosesNone(string part)
    {
        using var specimen = await Make(1200, compactAtEnd: true);
        var before = Entries(specimen.Directory);
        var table = specimen.Table();
        var footer = Specimen.Footer(table);
        Database.Flip(table, part switch
        {
            "footer" => footer.Offset,
            "index" => footer.Index.Offset + 1,
            "filter" => footer.Filter.Offset,
            _ => footer.Properties.Offset
        });
        var report = Run(specimen, specimen.Directory, out var output);
        Assert.False(report.IsExact);
        Assert.Equal(before, Entries(output));
    }

    [Theory]
    [InlineData(FileNames.Identity, true)]
    [InlineData(FileNames.Current, true)]
    [InlineData(FileNames.ManifestSuffix, false)]
    public async Task RepairFindsFilesWithoutCurrentOrManifest(string name, bool isExact)
    {
        using var specimen = await Make(1300, compactAtEnd: false);
        var before = Entries(specimen.Directory);
        File.Delete(name[0] == '.' ? specimen.Database.Files(name).Single() : specimen.Database.PathOf(name));
        var report = Run(specimen, specimen.Directory, out var output);
        Assert.Equal(isExact, report.IsExact);
        Assert.Equal(before, Entries(output));
        Assert.Equal(1300UL, report.LastApplied.Index);
    }

    [Fact]
    public async Task DamagedRecordLeavesExactStateBeforeIt()
    {
        using var specimen = await Make(1200, compactAtEnd: true);
        using (var machine = specimen.Database.Open(Specimen.Options with { Durability = Durability.Power }))
            NumberedLog.ApplyUpTo(machine, 1300, 5);
        var segment = specimen.Database.LastSegment();
        var record = Database.Records(segment).Last(record => record.FirstIndex == 1251);
        Database.Flip(segment, record.Offset + 120);
        Assert.Throws<CorruptionException>(() => specimen.Database.Open().Dispose());

        var report = Run(specimen, specimen.Directory, out var output);
        Assert.True(report.IsExact);
        Assert.Equal(1250UL, report.LastApplied.Index);
        Assert.Contains(report.Losses, loss => loss.File == segment && loss.Offset == record.Offset
            && loss.What.StartsWith("entries 1251 to", StringComparison.Ordinal));
        using var repaired = LsmStateMachine.Open(output, Specimen.Options);
        Assert.Equal(1250UL, NumberedLog.AssertIsWhole(repaired));
        NumberedLog.ApplyUpTo(repaired, 1300);
        NumberedLog.AssertIsWhole(repaired);
    }

    [Fact]
    public async Task DamagedTableMakesRepairApplyLogPastHoles()
    {
        using var specimen = await Make(1200, compactAtEnd: true);
        using (var machine = specimen.Database.Open(Specimen.Options with { Durability = Durability.Power }))
            NumberedLog.ApplyUpTo(machine, 1300, 5);
        var segment = specimen.Database.LastSegment();
        Database.Flip(segment, Database.Records(segment).Last(record => record.FirstIndex == 1251).Offset + 120);
        Database.Flip(specimen.Table(), 80);
        var report = Run(specimen, specimen.Directory, out _);
        Assert.False(report.IsExact);
        Assert.Equal(1300UL, report.LastApplied.Index);
        Assert.Contains(report.Losses, loss => loss.What == "entries 1251 to 1255");
    }

    [Fact]
    public async Task TornTailIsNoLoss()
    {
        using var specimen = await Make(1250, compactAtEnd: false);
        var segment = specimen.Database.LastSegment();
        Database.Flip(segment, Database.Records(segment)[^1].Offset + 120);
        var report = Run(specimen, specimen.Directory, out var output);
        Assert.Empty(report.Losses);
        using var machine = LsmStateMachine.Open(output, Specimen.Options);
        Assert.Equal(report.LastApplied.Index, NumberedLog.AssertIsWhole(machine));
    }

    [Fact]
    public async Task RepairRefusesNonEmptyTarget()
    {
        using var specimen = await Make(100, compactAtEnd: true);
        foreach (var output in (string[])[
            specimen.Directory, Path.Combine(specimen.Directory, "out"), specimen.Database.Root])
            Assert.ThrowsAny<ArgumentException>(() => Repair.Run(Storages.Default, specimen.Directory, output));
        Assert.False(Directory.Exists(Path.Combine(specimen.Directory, "out")));
    }

    [Fact]
    public async Task RepairWhereMappedFilesStayLeavesOnlyItsResult()
    {
        using var specimen = await Make(300, compactAtEnd: false);
        var output = Path.Combine(specimen.Database.Root, "repaired");
        var storage = new NtfsLikeStorage(new PortableStorage());
        Repair.Run(storage, specimen.Directory, output);
        Assert.Empty(Verification.Check(storage, output, deep: true)); // a table that was left over is a remark
        Assert.Empty(storage.Refused);
    }

    [Theory]
    [InlineData("DB")]
    [InlineData("Db/out")]
    public async Task RepairRefusesSourceInOtherCaseWhereCaseDoesNotCount(string output)
    {
        using var specimen = await Make(100, compactAtEnd: true);
        var storage = new NtfsLikeStorage(new PortableStorage());
        Assert.Throws<ArgumentException>(
            () => Repair.Run(storage, specimen.Directory, Path.Combine(specimen.Database.Root, output)));
        Assert.False(storage.DirectoryExists(Path.Combine(specimen.Directory, "out")));
    }

    [Fact]
    public async Task RepairIntoNeighbourOfOtherCaseSucceeds()
    {
        if (!StorageOfTests.IsLinux) return;
        using var specimen = await Make(100, compactAtEnd: true);
        Repair.Run(Storages.Default, specimen.Directory, Path.Combine(specimen.Database.Root, "DB"));
    }

    private static async Task<Specimen> Make(ulong applied, bool compactAtEnd)
    {
        var specimen = new Specimen();
        using var machine = specimen.Database.Open(Specimen.Options);
        NumberedLog.ApplyUpTo(machine, compactAtEnd ? applied : applied / 2);
        await machine.CompactAsync();
        NumberedLog.ApplyUpTo(machine, applied, 7);
        return specimen;
    }

    /// <summary>Repairs; the source stays as it was, and the result is whole to the last row.</summary>
    private static RepairReport Run(Specimen specimen, string path, out string output)
    {
        output = Path.Combine(specimen.Database.Root, "repaired-" + Guid.NewGuid().ToString("N"));
        var before = Digest(specimen.Directory);
        var report = Repair.Run(Storages.Default, path, output);
        Assert.Equal(before, Digest(specimen.Directory));
        Assert.Empty(Verification.Check(Storages.Default, output, deep: true));
        return report;
    }

    private static List<(string, string, DateTime)> Digest(string directory) =>
    [
        .. new DirectoryInfo(directory).EnumerateFiles().OrderBy(file => file.Name, StringComparer.Ordinal)
            .Select(file => (
                file.Name,
                Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(File.ReadAllBytes(file.FullName))),
                file.LastWriteTimeUtc)),
    ];

    private static SortedDictionary<string, string> Entries(string directory)
    {
        using var machine = LsmStateMachine.Open(directory, Specimen.Options with { ReadOnly = true });
        var entries = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var entry in machine.ScanPrefix([]).Entries) entries.Add(Text(entry.Key), Text(entry.Value));
        Assert.Equal(entries.Count, machine.Count);
        return entries;
    }

    private static int DataBlockRows(string table, long offset) => File.ReadAllBytes(table)[offset + 12];

    private static string Text(ReadOnlyMemory<byte> bytes) => Encoding.Latin1.GetString(bytes.Span);
}
