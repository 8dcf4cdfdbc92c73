using System.Buffers;
using System.Globalization;
using Varve.Format;
using Xunit;
using Xunit.Abstractions;

namespace Varve.Tests.Engine.Hostile;

/// <summary>
/// The refusal of a manifest allocates at most its declared bound and 16 MiB, for any claim and any decompressed size.
/// Every allocation on the managed heap counts, freed or not, which exceeds the memory held at a time.
/// </summary>
[Collection(WholeProcess.Name)]
public sealed class MemoryIsBoundedTests(SoundSnapshot sound, ITestOutputHelper output)
    : IClassFixture<SoundSnapshot>, IDisposable
{
    private const long Allowed = SnapshotManifestCodec.MemoryMax + (16L << 20);
    private const int Max = SnapshotManifestCodec.PayloadLengthMax;

    private readonly AttackedDatabase _victim = new();

    public void Dispose() => _victim.Dispose();

    public static TheoryData<string, bool> Bombs
    {
        get
        {
            var data = new TheoryData<string, bool>();
            var number = 0;
            foreach (var name in (string[])[
                "zeros of a gigabyte", "zeros within the cap", "more in the blocks than claimed", "outcomes", "terms",
                "tables", "more tables than there may be", "noise", "a long frame of nothing", "a frame in a frame"])
            {
                // A sample has each bomb in one of the two, by turns.
                if (Sample.Takes(number, 2)) data.Add(name, false);
                if (Sample.Takes(++number, 2)) data.Add(name, true);
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Bombs))]
    public async Task DecompressionBombIsRefusedWithinMemoryCap(string name, bool packed)
    {
        var file = BombOf(name);
        var path = sound.Copy();
        var metadata = SoundSnapshot.Put(path, file);
        if (packed)
        {
            Directory.Delete(path, recursive: true);
            File.WriteAllBytes(path, HostileBytes.Pack(file, 1, (ulong)file.Length));
        }

        var length = file.Length;
        file = null;
        await RefusedWithinTheCapAsync(
            metadata, path, $"{name}, {length:N0} bytes, {(packed ? "packed" : "directory")}");
    }

    [Fact]
    public async Task TruncatedPackWithLongManifestIsRefusedWithinMemoryCap()
    {
        var path = Path.Combine(Path.GetDirectoryName(sound.Path)!, "claims.varve");
        foreach (var there in (int[])[0, 1 << 20, (4 << 20) + 1])
        {
            File.WriteAllBytes(path, HostileBytes.Pack(new byte[there], 1, SnapshotManifestCodec.FileLengthMax));
            await RefusedWithinTheCapAsync(
                sound.Metadata, path, $"{there:N0} of {SnapshotManifestCodec.FileLengthMax:N0} bytes");
        }
    }

    private async Task RefusedWithinTheCapAsync(SnapshotMetadata metadata, string path, string what)
    {
        await _victim.RefusesAsync(metadata with { Checksum = new byte[32] }, path, "warm");
        GC.Collect(2, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        ResetPeak();
        var resident = StatusOf("VmRSS");
        var before = GC.GetTotalAllocatedBytes(precise: true);
        var failure = await Record.ExceptionAsync(() => _victim.Machine.ApplySnapshotFromFileAsync(metadata, path));
        var allocated = GC.GetTotalAllocatedBytes(precise: true) - before;
        var peak = StatusOf("VmHWM") - resident;
        output.WriteLine(
            $"{what}: {allocated / 1048576.0:F1} MiB allocated, resident memory rose by {peak / 1048576.0:F1} MiB at "
                + $"most; {failure?.Message}");
        Assert.True(AttackedDatabase.IsRefusal(failure), $"{failure}");
        Assert.InRange(allocated, 0, Allowed);
        Assert.True(peak <= Allowed, $"{peak:N0} bytes of resident memory");
        _victim.SurvivesReopening();
    }

    private byte[] BombOf(string name)
    {
        var state = SnapshotManifestCodec.EncodePayload(sound.Manifest with { Tables = [] });
        switch (name)
        {
            case "zeros of a gigabyte": return HostileBytes.ManifestOfZeros(Max, 1 << 30, 1 << 30);
            case "zeros within the cap": return HostileBytes.ManifestOfZeros(Max, Max, Max);
            case "more in the blocks than claimed": return HostileBytes.ManifestOfZeros(Max, Max, 1 << 30);
            case "outcomes": return HostileBytes.Manifest(Outcomes(Max - 200));
            case "terms": return HostileBytes.Manifest(Terms(Max - 200));
            case "tables":
                return HostileBytes.Manifest([.. state[..^4], .. Tables(SnapshotManifestCodec.TablesMax, 40)]);
            case "more tables than there may be":
                return HostileBytes.Manifest(
                    [.. state[..^4], .. Tables((Max - state.Length) / AddedTableCodec.SizeMin, 1)]);
            case "noise":
                var noise = new byte[Max];
                new Random(5).NextBytes(noise);
                return HostileBytes.Manifest(noise);
            case "a long frame of nothing":
                // Blocks of no bytes, as many as a file may hold.
                var file = new byte[SnapshotManifestCodec.FileLengthMax - 2];
                HostileBytes.ManifestOfZeros(Max, Max, 0).CopyTo(file, 0);
                file[26 + ((file.Length - 26) / 3 * 3) - 3] = 1;
                return file[..(26 + ((file.Length - 26) / 3 * 3))];
            default:
                return HostileBytes.Manifest(
                    HostileBytes.Manifest(HostileBytes.ManifestOfZeros(Max, 1 << 30, 1 << 30)));
        }
    }

    /// <summary>As many outcome runs of one entry as fit: each becomes an object when it is decoded.</summary>
    private static byte[] Outcomes(int length)
    {
        var runs = length / 13;
        var writer = Begin(0, out var buffer);
        writer.U32((uint)runs);
        for (var i = 0; i < runs; i++)
        {
            writer.U64((ulong)(2 * i) + 1);
            writer.U32(1);
            writer.U8(1);
        }

        writer.U32(0);
        return buffer.WrittenSpan.ToArray();
    }

    private static byte[] Terms(int length)
    {
        var runs = length / 16;
        var writer = Begin(runs, out var buffer);
        for (var i = 0; i < runs; i++)
        {
            writer.U64((ulong)i + 1);
            writer.U64((ulong)i + 1);
        }

        writer.U32(0);
        writer.U32(0);
        return buffer.WrittenSpan.ToArray();
    }

    private static FieldWriter Begin(int terms, out ArrayBufferWriter<byte> buffer)
    {
        buffer = new ArrayBufferWriter<byte>();
        var writer = new FieldWriter(buffer);
        writer.Identifier(Guid.NewGuid());
        writer.U16(MachineStateCodec.Version);
        writer.U8(0);
        writer.U64(ulong.MaxValue);
        writer.U64(ulong.MaxValue);
        for (var i = 0; i < 6; i++) writer.U64(0);
        writer.U8(0);
        writer.U32((uint)terms);
        return writer;
    }

    /// <summary>Small tables, each in a run of its own.</summary>
    private byte[] Tables(int count, int keyLength)
    {
        var one = TableDescriptorCodec.Encode(sound.Manifest.Tables[0].Table with
        {
            SmallestKey = new byte[keyLength],
            LargestKey = new byte[keyLength]
        });
        var list = new byte[4 + (count * (8 + one.Length))];
        BitConverter.TryWriteBytes(list, count);
        for (var i = 0; i < count; i++)
        {
            BitConverter.TryWriteBytes(one.AsSpan(18), (ulong)i);
            BitConverter.TryWriteBytes(list.AsSpan(4 + (i * (8 + one.Length))), (ulong)(count - i));
            one.CopyTo(list, 4 + (i * (8 + one.Length)) + 8);
        }

        return list;
    }

    /// <summary>Forgets the highest resident memory so far.</summary>
    private static void ResetPeak() => File.WriteAllText("/proc/self/clear_refs", "5");

    private static long StatusOf(string field)
    {
        var line =
            File.ReadLines("/proc/self/status").Single(line => line.StartsWith(field + ":", StringComparison.Ordinal));
        return long.Parse(
            line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[^2].Split('\t')[^1],
            CultureInfo.InvariantCulture) * 1024;
    }
}
