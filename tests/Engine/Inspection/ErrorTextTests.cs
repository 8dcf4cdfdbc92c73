using Varve.Format;
using Varve.Storage;
using Varve.Tests.Engine.Evolution;
using Varve.Tests.Engine.Recovery;
using Xunit;

namespace Varve.Tests.Engine.Inspection;

/// <summary>An error names the file, the offset, the kind and the problem: "PATH at offset N: KIND: problem".</summary>
public sealed class ErrorTextTests
{
    private static readonly Dictionary<string, (Action<Specimen> Damage, string Pattern)> Cases = new()
    {
        ["pointer"] = (
            specimen => Database.Flip(specimen.Database.PathOf(FileNames.Current), 33),
            @"CURRENT at offset 40: pointer file: checksum mismatch \(stored [0-9a-f]{16}, computed [0-9a-f]{16}\)$"),
        ["segment header"] = (
            specimen => Database.Flip(specimen.Database.LastSegment(), 20),
            @"\.wal at offset 56: segment header: checksum mismatch \(stored [0-9a-f]{16}, computed [0-9a-f]{16}\)$"),
        ["manifest header"] = (
            specimen => Database.Flip(Manifest(specimen), 20),
            @"\.vman at offset 40: manifest header: checksum mismatch \(stored .*"),
        ["table footer"] = (
            specimen => Database.Flip(specimen.Table(), new FileInfo(specimen.Table()).Length - 100),
            @"\.vtab at offset \d+: table footer: checksum mismatch \(stored .*"),
        ["table length"] = (
            specimen => Shorten(specimen.Table()),
            @"\.vtab at offset \d+: table: table length is \d+, manifest says \d+$"),
        ["missing table"] = (
            specimen => File.Delete(specimen.Table()),
            @"\.vtab at offset 0: table: no such file, the manifest names it$"),
        ["missing current"] = (
            specimen => File.Delete(specimen.Database.PathOf(FileNames.Current)),
            @"CURRENT at offset 0: current: no such file$"),
        ["tombstone"] = (TombstoneWithAValue, @"\.wal at offset \d+: record: tombstone carries a value$"),
    };

    public static TheoryData<string> Names => [.. Cases.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task MessageStatesPlaceAndProblem(string name)
    {
        using var specimen = await Specimen.Make();
        var (damage, pattern) = Cases[name];
        damage(specimen);
        var failure = Assert.Throws<CorruptionException>(() => specimen.Database.Open(Specimen.Options).Dispose());
        Assert.Matches(
            "^" + System.Text.RegularExpressions.Regex.Escape(specimen.Directory) + ".*" + pattern, failure.Message);
        Assert.Equal($"{failure.Path} at offset {failure.Offset}: {failure.Kind}: {failure.Problem}", failure.Message);
        Assert.Contains(specimen.Check(), problem =>
            (problem.File, problem.Structure, problem.Text) == (failure.Path, failure.Kind, failure.Problem));
    }

    [Fact]
    public void MalformedChunkErrorNamesItsOffset()
    {
        using var database = new Database();
        using var machine = database.Open();
        var failure = Assert.Throws<ArgumentException>(() => machine.ApplyChunk([100, 8, 1], new ApplyResult[1]));
        Assert.StartsWith(
            "The chunk is malformed at byte 0: entry runs past the chunk.", failure.Message, StringComparison.Ordinal);
    }

    private static string Manifest(Specimen specimen) =>
        Assert.Single(specimen.Database.Files(FileNames.ManifestSuffix));

    private static void Shorten(string path)
    {
        using var file = File.Open(path, FileMode.Open);
        file.SetLength(file.Length - 1);
    }

    private static void TombstoneWithAValue(Specimen specimen)
    {
        var path = specimen.Database.LastSegment();
        var chunk =
            Database.Records(path).Last(record => record.Type == WalRecordType.Chunk && record.OperationCount > 0);
        NewerBytesInFiles.Record(path, chunk.Offset, record =>
        {
            var operation = record.AsSpan(WalRecordHeader.Size + chunk.PayloadLength);
            operation[18] = (byte)RecordKind.Tombstone;
            operation[12] = Math.Max((byte)1, operation[12]);
        });
    }
}
