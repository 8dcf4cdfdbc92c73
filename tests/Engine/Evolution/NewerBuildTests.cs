using System.Buffers.Binary;
using System.Security.Cryptography;
using Varve.Format;
using Varve.Inspection;
using Varve.Snapshots;
using Varve.Storage;
using Varve.Tests.Engine.Inspection;
using Varve.Tests.Engine.Recovery;
using Xunit;

namespace Varve.Tests.Engine.Evolution;

/// <summary>
/// Files of a newer build are refused as unsupported, with their place: never opened as if they were absent, never
/// taken for a torn tail or damage, and never changed.
/// </summary>
public sealed class NewerBuildTests
{
    private static readonly Dictionary<string, Func<Specimen, (string Path, long Offset, string Met)>> Files = new()
    {
        ["identity version"] =
            specimen => Header(specimen.Database.PathOf(FileNames.Identity), 40, 8, 2, "pointer file of version 2"),
        ["identity features"] =
            specimen => Header(specimen.Database.PathOf(FileNames.Identity), 40, 12, 4, "feature bits 0x00000004"),
        ["current version"] =
            specimen => Header(specimen.Database.PathOf(FileNames.Current), 40, 8, 2, "pointer file of version 2"),
        ["current features"] = specimen => Header(
            specimen.Database.PathOf(FileNames.Current), 40, 12, 1u << 31, "feature bits 0x80000000"),
        ["segment version"] = specimen => Header(specimen.Database.LastSegment(), 56, 8, 2, "segment of version 2"),
        ["segment features"] =
            specimen => Header(specimen.Database.LastSegment(), 56, 12, 1, "feature bits 0x00000001"),
        ["manifest version"] = specimen => Header(Manifest(specimen), 40, 8, 2, "manifest of version 2"),
        ["manifest features"] = specimen => Header(Manifest(specimen), 40, 12, 1, "feature bits 0x00000001"),
        ["record type"] = specimen => LastRecord(specimen, 92, 8, "record of type 8"),
        ["record flags"] = specimen => LastRecord(specimen, 94, 1, "record with the flags 0x0001"),
        ["record columns"] = specimen => LastRecord(specimen, 93, 0x20, "flags 0x20"),
        ["record payload"] = specimen => LastRecord(specimen, 88, 8, "payload of 8"),
        ["chunk columns"] = specimen => ChunkRecord(specimen, header => 93, 0x20, "columns 0x20"),
        ["operation kind"] = specimen => ChunkRecord(
            specimen, header => WalRecordHeader.Size + header.PayloadLength + 18, 4, "operation of kind 4"),
        ["operation flags"] = specimen => ChunkRecord(
            specimen, header => WalRecordHeader.Size + header.PayloadLength + 19, 1, "operation with the flags 0x01"),
        ["record beyond a hole"] = BeyondAHole,
        ["first record of the next segment"] = InTheNextSegment,
        ["edit version"] = specimen => Edit(specimen, _ => 0, 2, "version edit of version 2"),
        ["edit flags"] = specimen => Edit(specimen, _ => 2, 0x87, "version edit with the flags 0x84"),
        ["state version"] = specimen => Edit(specimen, _ => 19, 3, "machine state of version 3"),
        ["state flags"] = specimen => Edit(specimen, _ => 21, 0x40, "machine state with the flags 0x40"),
        ["descriptor version"] = specimen => Edit(specimen, DescriptorIn, 2, "table descriptor of version 2"),
        ["table version"] = specimen => Footer(specimen, TableFooter.Bytes - 24, 2, "table of version 2"),
        ["table features"] = specimen => Footer(specimen, 36, 2, "feature bits 0x00000002"),
        ["table compression"] = specimen => Footer(specimen, 32, 1, "compression 1"),
    };

    private static readonly Dictionary<string, (int Offset, uint Value, string Met)> ManifestHeaders = new()
    {
        ["manifest version"] = (8, 2, "snapshot manifest of version 2"),
        ["manifest features"] = (12, 1, "feature bits 0x00000001"),
    };

    public static TheoryData<string> Places => [.. Files.Keys];

    [Theory]
    [MemberData(nameof(Places))]
    public async Task DatabaseOfNewerBuildIsRefusedUnchanged(string place)
    {
        using var specimen = await Specimen.Make();
        var newer = Files[place](specimen);
        var before = Contents(specimen.Directory);
        foreach (var durability in Enum.GetValues<Durability>())
        {
            foreach (var readOnly in (bool[])[false, true])
            {
                var options = Specimen.Options with { Durability = durability, ReadOnly = readOnly };
                AssertNames(
                    newer, Assert.Throws<UnsupportedFormatException>(() => specimen.Database.Open(options).Dispose()));
                Assert.Equal(before, Contents(specimen.Directory));
            }
        }

        AssertReportedAndNotRepaired(newer, specimen, specimen.Directory);
    }

    [Theory]
    [InlineData(13, 0x80, "flags 0x8")]
    [InlineData(14, 1, "0x0001 after them")]
    public async Task DataBlockOfNewerBuildIsRefusedWhenRead(int at, byte value, string met)
    {
        using var specimen = await Specimen.Make();
        var table = specimen.Table();
        NewerBytesInFiles.Block(table, block => block[at] |= value);
        using (var machine = specimen.Database.Open(Specimen.Options with { ReadOnly = true }))
        {
            var refused = Assert.Throws<UnsupportedFormatException>(() => machine.ScanPrefix([]));
            Assert.Equal(table, refused.Path);
            Assert.Contains(met, refused.Met, StringComparison.Ordinal);
        }

        AssertReportedAndNotRepaired((table, 0, met), specimen, specimen.Directory);
    }

    [Theory]
    [InlineData("manifest version")]
    [InlineData("manifest features")]
    [InlineData("state version")]
    [InlineData("descriptor version")]
    public async Task SnapshotOfNewerBuildIsRefusedAsDirectoryAndPack(string place)
    {
        using var specimen = await Specimen.Make(withSnapshot: true);
        var (metadata, at, met) = ChangeSnapshot(specimen.Snapshot, place);
        var manifest = File.ReadAllBytes(Path.Combine(specimen.Snapshot, SnapshotNames.Manifest));
        NewerBytesInFiles.Pack(specimen.Pack, manifest);

        var directory = (Path.Combine(specimen.Snapshot, SnapshotNames.Manifest), at, met);
        AssertNames(directory, await InstallAsync(specimen, metadata, specimen.Snapshot));
        AssertReportedAndNotRepaired(directory, specimen, specimen.Snapshot);
        AssertNames(directory, await Record.ExceptionAsync(
            () => PackWriter.PackAsync(Storages.Default, specimen.Snapshot, Stream.Null)));
        var pack = (specimen.Pack, PackFormat.HeaderSize + at, met);
        AssertNames(pack, await InstallAsync(specimen, metadata, specimen.Pack));
        AssertReportedAndNotRepaired(pack, specimen, specimen.Pack);
    }

    [Theory]
    [InlineData(8, 2, "packed snapshot of version 2")]
    [InlineData(12, 8, "feature bits 0x00000008")]
    public async Task PackOfNewerBuildIsRefused(int at, uint value, string met)
    {
        using var specimen = await Specimen.Make(withSnapshot: true);
        var checksum = SHA256.HashData(File.ReadAllBytes(Path.Combine(specimen.Snapshot, SnapshotNames.Manifest)));
        NewerBytesInFiles.Header(specimen.Pack, 32, at, value);
        var newer = (specimen.Pack, (long)at, met);
        AssertNames(newer, await InstallAsync(
            specimen, new SnapshotMetadata(NumberedLog.Id(Specimen.Applied), checksum), specimen.Pack));
        AssertReportedAndNotRepaired(newer, specimen, specimen.Pack);
    }

    [Fact]
    public async Task TableOfNewerBuildInSnapshotIsRefused()
    {
        using var specimen = await Specimen.Make(withSnapshot: true);
        var sound = File.ReadAllBytes(Path.Combine(specimen.Snapshot, SnapshotNames.Manifest));
        Assert.True(SnapshotManifestCodec.TryDecode(sound, out var manifest, out _));
        var added = manifest.Tables[0];
        var table = Path.Combine(specimen.Snapshot, SnapshotNames.Table(added.Table));
        NewerBytesInFiles.Footer(table, footer => footer[^24] = 2);
        var bytes = File.ReadAllBytes(table);
        var renamed = added.Table with { Hash = System.IO.Hashing.XxHash128.HashToUInt128(bytes) };
        File.Move(table, Path.Combine(specimen.Snapshot, SnapshotNames.Table(renamed)));
        var metadata = NewerBytesInFiles.Manifest(specimen.Snapshot, _ => SnapshotManifestCodec.Encode(
            manifest with { Tables = [added with { Table = renamed }, .. manifest.Tables[1..]] }));
        var refused = Assert.IsType<UnsupportedFormatException>(
            await InstallAsync(specimen, metadata, specimen.Snapshot));
        Assert.Contains("table of version 2", refused.Met, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void ReaderBesideNewerWriterKeepsItsState(bool inTheNextSegment)
    {
        using var specimen = new Specimen();
        using var writer = specimen.Database.Open(Specimen.Options);
        NumberedLog.ApplyUpTo(writer, 100);
        using var reader = specimen.Database.Open(Specimen.Options with { ReadOnly = true });
        var newer = inTheNextSegment ? InTheNextSegment(specimen) : AfterTheLast(specimen);
        for (var look = 0; look < 2; look++)
        {
            AssertNames(newer, Record.Exception(() => reader.TryCatchUp()));
            Assert.Equal(100UL, NumberedLog.AssertIsWholeToRead(reader));
        }
    }

    private static async Task<Exception?> InstallAsync(Specimen specimen, SnapshotMetadata metadata, string path)
    {
        using var target = new Database();
        using var machine = target.Open();
        NumberedLog.ApplyUpTo(machine, 10);
        var failure = await Record.ExceptionAsync(() => machine.ApplySnapshotFromFileAsync(metadata, path));
        Assert.Equal(10UL, NumberedLog.AssertIsWhole(machine));
        return failure;
    }

    private static void AssertNames((string Path, long Offset, string Met) newer, Exception? failure)
    {
        var refused = Assert.IsType<UnsupportedFormatException>(failure);
        Assert.Equal((newer.Path, newer.Offset), (refused.Path, refused.Offset));
        Assert.Contains(newer.Met, refused.Met, StringComparison.Ordinal);
        Assert.Contains(newer.Met, refused.Message, StringComparison.Ordinal);
    }

    private static void AssertReportedAndNotRepaired(
        (string Path, long Offset, string Met) newer, Specimen specimen, string path)
    {
        Assert.Contains(
            Verification.Check(Storages.Default, path, deep: true),
            problem => problem.Structure == "format" && (problem.File, problem.Offset) == (newer.Path, newer.Offset));
        var output = Path.Combine(specimen.Database.Root, "repaired");
        Assert.Throws<UnsupportedFormatException>(() => Repair.Run(Storages.Default, path, output));
        Assert.False(Directory.Exists(output));
    }

    private static Dictionary<string, string> Contents(string directory) => Directory.GetFiles(directory)
        .Where(path => Path.GetFileName(path) != FileNames.Lock)
        .ToDictionary(path => path, path => Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(path))));

    private static string Manifest(Specimen specimen) =>
        Assert.Single(specimen.Database.Files(FileNames.ManifestSuffix));

    private static (string, long, string) Header(string path, int checksum, int at, uint value, string met)
    {
        NewerBytesInFiles.Header(path, checksum, at, value);
        return (path, at, met);
    }

    /// <summary>The record that a close ends the log with.</summary>
    private static (string, long, string) LastRecord(Specimen specimen, int at, byte value, string met)
    {
        var path = specimen.Database.LastSegment();
        var last = Database.Records(path)[^1];
        NewerBytesInFiles.Record(path, last.Offset, record => record[at] = value);
        return (path, last.Offset + (at == 93 ? 88 : at), met);
    }

    private static (string, long, string) ChunkRecord(
        Specimen specimen, Func<WalRecordHeader, int> place, byte value, string met)
    {
        var path = specimen.Database.LastSegment();
        var chunk =
            Database.Records(path).Last(record => record.Type == WalRecordType.Chunk && record.OperationCount > 0);
        var at = place(chunk);
        NewerBytesInFiles.Record(path, chunk.Offset, record => record[at] = value);
        return (path, chunk.Offset + at, met);
    }

    /// <summary>A log whose torn tail would begin at a record that this build does not know.</summary>
    private static (string, long, string) BeyondAHole(Specimen specimen)
    {
        var path = specimen.Database.LastSegment();
        specimen.Database.DropCloseMarker();
        var records = Database.Records(path);
        Database.Zero(path, records[^2].Offset, records[^2].Length);
        NewerBytesInFiles.Record(path, records[^1].Offset, record => record[92] = 200);
        return (path, records[^1].Offset + 92, "record of type 200");
    }

    /// <summary>A record that a newer build wrote after the last one.</summary>
    private static (string, long, string) AfterTheLast(Specimen specimen)
    {
        var path = specimen.Database.LastSegment();
        using var file = File.Open(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
        var page = new byte[64];
        file.ReadExactly(page);
        Assert.True(WalSegmentHeader.TryDecode(page, out var header, out _));
        var last = Database.Records(path)[^1];
        var record = new byte[WalRecordHeader.Size];
        (last with
        {
            Offset = last.Offset + last.Length,
            Length = record.Length,
            FirstIndex = last.LastIndex,
            PayloadLength = 0,
            EntryCount = 0,
            OperationCount = 0,
            Type = (WalRecordType)9
        })
            .Finish(record, header.Salt);
        file.Position = last.Offset + last.Length;
        file.Write(record);
        return (path, last.Offset + last.Length + 92, "record of type 9");
    }

    /// <summary>A segment of a newer build, whose first record is a link of an unknown kind.</summary>
    private static (string, long, string) InTheNextSegment(Specimen specimen)
    {
        var bytes = File.ReadAllBytes(specimen.Database.LastSegment());
        Assert.True(WalSegmentHeader.TryDecode(bytes, out var header, out _));
        header = header with { Number = header.Number + 1000, Salt = 77, Length = 2 * WalSegmentHeader.Size };
        bytes = new byte[header.Length];
        header.Encode(bytes);
        new WalRecordHeader
        {
            Offset = WalSegmentHeader.Size,
            Length = 120,
            PayloadLength = 24,
            Type = (WalRecordType)8,
            LastIndex = 5000,
            FirstIndex = 5000
        }
            .Finish(bytes.AsSpan(WalSegmentHeader.Size), header.Salt);
        var path = specimen.Database.PathOf(FileNames.Segment(header.Number));
        File.WriteAllBytes(path, bytes);
        return (path, WalSegmentHeader.Size + 92, "record of type 8");
    }

    private static (string, long, string) Edit(Specimen specimen, Func<byte[], int> place, byte value, string met)
    {
        var path = Manifest(specimen);
        var at = 0;
        var begin = 0L;
        NewerBytesInFiles.LastEdit(path, payload =>
        {
            at = place(payload);
            payload[at] = value;
            return payload;
        });
        var bytes = File.ReadAllBytes(path);
        Assert.True(ManifestLog.TryDecodeHeader(bytes, out _, out var salt, out _));
        for (long next = ManifestLog.HeaderSize;
            ManifestLog.TryReadRecord(bytes, next, salt, out _, out var end) == ManifestReadResult.Record; next = end)
            begin = next;
        return (path, begin + ManifestLog.RecordHeaderSize + at, met);
    }

    private static int DescriptorIn(byte[] payload)
    {
        Assert.True(VersionEditCodec.TryDecode(payload, out var edit, out _));
        Assert.NotEmpty(edit.Added);
        return 19 + (edit.State is { } state ? MachineStateCodec.Encode(state).Length : 0) + 4
            + (8 * edit.Removed.Length) + 4 + 8;
    }

    private static (string, long, string) Footer(Specimen specimen, int at, byte value, string met)
    {
        var table = specimen.Table();
        NewerBytesInFiles.Footer(table, footer => footer[at] = value);
        return (table, new FileInfo(table).Length - TableFooter.Bytes + at, met);
    }

    private static (SnapshotMetadata Metadata, long At, string Met) ChangeSnapshot(string snapshot, string place)
    {
        if (ManifestHeaders.TryGetValue(place, out var header))
        {
            var metadata = NewerBytesInFiles.Manifest(snapshot, file =>
            {
                BinaryPrimitives.WriteUInt32LittleEndian(file.AsSpan(header.Offset), header.Value);
                return Hostile.HostileBytes.ManifestSealed(file);
            });
            return (metadata, header.Offset, header.Met);
        }

        var at = 16;
        var announced = NewerBytesInFiles.Payload(snapshot, payload =>
        {
            Assert.True(SnapshotManifestCodec.TryDecodePayload(payload, out var manifest, out _));
            if (place == "descriptor version") at += MachineStateCodec.Encode(manifest.State).Length + 4 + 8;
            payload[at] = 9;
            return payload;
        });
        return (announced, at, "of version 9");
    }
}
