using System.IO.Hashing;
using System.IO.Pipelines;
using FsCheck.Xunit;
using Varve.Format;
using Varve.Snapshots;
using Varve.Storage;
using Varve.Tests.Format.Records;

namespace Varve.Tests.Format.Snapshots;

public sealed class PackedSnapshots : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("varve-pack-").FullName;
    private readonly IStorage _storage = new PosixStorage();
    private int _directories;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public async Task SnapshotRoundTrips()
    {
        // Tables longer than a buffer, of its length, and short ones.
        var directory = MakeSnapshot(1, 256 << 10, 1_000_000, 3);
        var unpacked = Unpack(await PackAsync(directory));
        Assert.Equal(FilesOf(directory), FilesOf(unpacked));
    }

    [Fact]
    public async Task SnapshotWithoutTablesRoundTrips()
    {
        var directory = MakeSnapshot();
        Assert.Equal(FilesOf(directory), FilesOf(Unpack(await PackAsync(directory))));
    }

    [Fact]
    public async Task EveryTruncationIsRejected()
    {
        var pack = await PackAsync(MakeSnapshot(20, 5));
        for (var length = 0; length < pack.Length; length++) Rejected(pack[..length]);
    }

    [Fact]
    public async Task EveryFlippedBitIsRejected()
    {
        var pack = await PackAsync(MakeSnapshot(20, 5));
        for (var bit = 0; bit < pack.Length * 8; bit++)
        {
            pack[bit / 8] ^= (byte)(1 << (bit % 8));
            Rejected(pack);
            pack[bit / 8] ^= (byte)(1 << (bit % 8));
        }
    }

    [Fact]
    public async Task TrailingByteIsRejected() => Rejected([.. await PackAsync(MakeSnapshot(20)), 0]);

    [Fact]
    public async Task BytesBehindPackAreRejectedWhereItMustEnd()
    {
        var pack = await PackAsync(MakeSnapshot(20));
        Task Unpack(byte[] bytes, string target, bool endsWithPack) => PackUnpacker.UnpackAsync(
            _storage, PipeReader.Create(new MemoryStream(bytes)), target, endsWithPack, CancellationToken.None);
        await Unpack(pack, NewDirectory(), endsWithPack: true);
        await Unpack([.. pack, 0], NewDirectory(), endsWithPack: false);
        var target = NewDirectory();
        var refusal = await Assert.ThrowsAsync<SnapshotRejectedException>(
            () => Unpack([.. pack, 0], target, endsWithPack: true));
        Assert.Contains($"at offset {pack.Length}", refusal.Message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(target));
    }

    [Fact]
    public async Task BadManifestLeavesNothing()
    {
        var pack = await PackAsync(MakeSnapshot(20));
        pack[PackFormat.HeaderSize + 20] ^= 1;
        var target = Rejected(pack);
        Assert.False(Directory.Exists(target));
    }

    [Fact]
    public async Task RejectedPackLeavesNoManifest()
    {
        var pack = await PackAsync(MakeSnapshot(20));
        pack[^1] ^= 1;
        Assert.False(File.Exists(Path.Combine(Rejected(pack), SnapshotNames.Manifest)));
    }

    [Fact]
    public async Task FilesBeyondManifestAreRejected()
    {
        var pack = await PackAsync(MakeSnapshot(20));
        PackFormat.EncodeHeader(new PackHeader(BitConverter.ToInt32(pack, 16), 2)).CopyTo(pack, 0);
        Rehash(pack);
        Rejected(pack);
    }

    [Fact]
    public async Task TableWithOtherBytesIsRejectedDespiteValidTrailer()
    {
        var pack = await PackAsync(MakeSnapshot(20));
        pack[^20] ^= 1;
        Rehash(pack);
        Rejected(pack);
    }

    [Property(MaxTest = 200)]
    public void AnyBytesAreRejected(byte[] bytes, bool asPack)
    {
        Rejected(
            asPack ? [.. PackFormat.EncodeHeader(new PackHeader(Math.Max(1, bytes.Length), 1)), .. bytes] : bytes);
    }

    [Fact]
    public void ClaimedHugeManifestAllocatesLittle()
    {
        byte[] pack = [.. PackFormat.EncodeHeader(new PackHeader(SnapshotManifestCodec.FileLengthMax, 1)), 1, 2, 3];
        Rejected(pack);
        var before = GC.GetTotalAllocatedBytes(precise: true);
        Rejected(pack);
        Assert.InRange(GC.GetTotalAllocatedBytes(precise: true) - before, 0, 16 << 20);
    }

    [Fact]
    public async Task DamagedDirectoryIsNotPacked()
    {
        var directory = MakeSnapshot(20, 30);
        var table = Directory.GetFiles(directory, "*.vtab")[0];
        var bytes = File.ReadAllBytes(table);
        bytes[3] ^= 1;
        File.WriteAllBytes(table, bytes);
        await Assert.ThrowsAsync<SnapshotRejectedException>(() => PackAsync(directory));
        File.WriteAllBytes(table, bytes[..^1]);
        await Assert.ThrowsAsync<SnapshotRejectedException>(() => PackAsync(directory));
        File.Delete(table);
        await Assert.ThrowsAsync<SnapshotRejectedException>(() => PackAsync(directory));
        File.WriteAllBytes(Path.Combine(directory, SnapshotNames.Manifest), []);
        await Assert.ThrowsAsync<SnapshotRejectedException>(() => PackAsync(directory));
        await Assert.ThrowsAsync<SnapshotRejectedException>(() => PackAsync(NewDirectory()));
    }

    [Fact]
    public async Task StreamStaysOpen()
    {
        using var stream = new MemoryStream();
        await PackWriter.PackAsync(_storage, MakeSnapshot(20), stream, CancellationToken.None);
        Assert.True(stream.CanRead);
    }

    private async Task<byte[]> PackAsync(string directory)
    {
        using var stream = new MemoryStream();
        await PackWriter.PackAsync(_storage, directory, stream, CancellationToken.None);
        return stream.ToArray();
    }

    private string Unpack(byte[] pack, string? target = null)
    {
        target ??= NewDirectory();
        var file = target + ".varve";
        File.WriteAllBytes(file, pack);
        PackUnpacker.Unpack(_storage, file, target);
        return target;
    }

    private string Rejected(byte[] pack)
    {
        var target = NewDirectory();
        Assert.Throws<SnapshotRejectedException>(() => Unpack(pack, target));
        return target;
    }

    private string MakeSnapshot(params int[] tableLengths)
    {
        var directory = NewDirectory();
        Directory.CreateDirectory(directory);
        var tables = new List<AddedTable>();
        foreach (var length in tableLengths)
        {
            var content = new byte[length];
            new Random(length).NextBytes(content);
            var table = Samples.Table with
            {
                OriginNumber = (ulong)tables.Count,
                Length = length,
                Hash = XxHash128.HashToUInt128(content)
            };
            File.WriteAllBytes(Path.Combine(directory, SnapshotNames.Table(table)), content);
            tables.Add(new AddedTable((ulong)(tableLengths.Length - tables.Count), table));
        }

        var manifest = Samples.Manifest with { Tables = [.. tables] };
        File.WriteAllBytes(Path.Combine(directory, SnapshotNames.Manifest), SnapshotManifestCodec.Encode(manifest));
        return directory;
    }

    private string NewDirectory() => Path.Combine(_root, Interlocked.Increment(ref _directories).ToString("D6"));

    private static Dictionary<string, string> FilesOf(string directory) =>
        Directory.GetFiles(directory).ToDictionary(
            path => Path.GetFileName(path), path => Convert.ToHexString(XxHash128.Hash(File.ReadAllBytes(path))));

    private static void Rehash(byte[] pack) =>
        PackFormat.EncodeTrailer(XxHash128.HashToUInt128(pack.AsSpan(..^PackFormat.TrailerSize))).CopyTo(
            pack.AsSpan(^PackFormat.TrailerSize..));
}
