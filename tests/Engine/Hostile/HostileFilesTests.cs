using System.IO.Hashing;
using System.Runtime.InteropServices;
using Varve.Format;
using Varve.Storage;
using Varve.Tests.Engine.Recovery;
using Xunit;
using Xunit.Abstractions;

namespace Varve.Tests.Engine.Hostile;

/// <summary>
/// Snapshot directories that contain other things than the database's files, or invalid tables under valid checksums.
/// </summary>
public sealed partial class HostileFilesTests(SoundSnapshot sound, ITestOutputHelper output)
    : IClassFixture<SoundSnapshot>, IDisposable
{
    private readonly AttackedDatabase _victim = new();

    public void Dispose() => _victim.Dispose();

    [Fact]
    public async Task LinksAndDirectoriesInPlaceOfFilesAreRefused()
    {
        foreach (var name in Directory.GetFiles(sound.Path).Select(Path.GetFileName))
        {
            var copy = sound.Copy();
            var path = Path.Combine(copy, name!);
            var aside = Path.Combine(Path.GetDirectoryName(sound.Path)!, "aside");
            File.Copy(path, aside, overwrite: true);

            File.Delete(path);
            File.CreateSymbolicLink(path, aside); // to the right bytes, even
            await _victim.RefusesAsync(sound.Metadata, copy, $"a link for {name}");
            File.Delete(path);
            File.CreateSymbolicLink(path, "/etc/passwd");
            await _victim.RefusesAsync(sound.Metadata, copy, $"a link out for {name}");
            File.Delete(path);
            File.CreateSymbolicLink(path, path);
            await _victim.RefusesAsync(sound.Metadata, copy, $"a link to itself for {name}");
            File.Delete(path);
            Directory.CreateDirectory(path);
            await _victim.RefusesAsync(sound.Metadata, copy, $"a directory for {name}");
            Directory.Delete(path);
            File.Copy(aside, path);
            Assert.False(new FileInfo(aside).LinkTarget is not null);
        }

        _victim.SurvivesReopening();
    }

    [Fact]
    public async Task PipesAndDevicesInPlaceOfFilesAreRefused()
    {
        if (!StorageOfTests.IsPosix) return; // managed calls wait for a pipe; Windows has none among its files
        foreach (var name in Directory.GetFiles(sound.Path).Select(Path.GetFileName))
        {
            var copy = sound.Copy();
            var path = Path.Combine(copy, name!);
            File.Delete(path);
            Assert.Equal(0, mkfifo(path, 0x180));
            // One that is waited for hangs this test.
            await _victim.RefusesAsync(sound.Metadata, copy, $"a pipe for {name}");
            File.Delete(path);
            if (mknod(path, 0x2180, 0x105) == 0)
            {
                await _victim.RefusesAsync(sound.Metadata, copy, $"/dev/zero for {name}");
                File.Delete(path);
            }
            else
            {
                output.WriteLine("devices are not tried: making one takes root");
            }
        }

        _victim.SurvivesReopening();
    }

    [Fact]
    public async Task PipeInPlaceOfPackIsRefused()
    {
        if (!StorageOfTests.IsPosix) return; // as above
        var path = Path.Combine(Path.GetDirectoryName(sound.Path)!, "pipe.varve");
        Assert.Equal(0, mkfifo(path, 0x180));
        await _victim.RefusesAsync(sound.Metadata, path, "a pipe");
        _victim.SurvivesReopening();
    }

    [Fact]
    public async Task HardLinkedTableIsCopied()
    {
        var copy = sound.Copy();
        var table = SoundSnapshot.TablePath(copy, sound.Manifest.Tables[0].Table);
        var other = Path.Combine(Path.GetDirectoryName(sound.Path)!, "hard-link");
        if (!Storages.Default.TryLink(table, other)) return;
        Assert.True(await _victim.RefusesOrIsWholeAsync(sound.Metadata, copy, "a hard link"));
        File.WriteAllBytes(other, new byte[new FileInfo(other).Length]); // the same inode as the snapshot's
        Assert.Equal(SoundSnapshot.Last, NumberedLog.AssertIsWhole(_victim.Machine));
    }

    [Theory]
    [InlineData("CURRENT")]
    [InlineData("LOCK")]
    [InlineData("IDENTITY")]
    [InlineData("000000000001.wal")]
    [InlineData("999999999999.vtab")]
    [InlineData("staging-000000000001")]
    [InlineData("..\\evil")]
    [InlineData(" ")]
    [InlineData("a\nb")]
    [InlineData(
        "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
            + "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
            + "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx")]
    public async Task FilesOfOtherNamesAreIgnored(string name)
    {
        // Names are derived from numbers and hashes, so there is none to traverse with; what else lies there stays
        // there.
        var copy = sound.Copy();
        File.WriteAllText(Path.Combine(copy, name), "evil");
        var opened = new List<string>();
        _victim.Storage.Before = (operation, path) =>
        {
            lock (opened)
                if (path.StartsWith(copy, StringComparison.Ordinal)) opened.Add(Path.GetFileName(path));
        };
        Assert.True(await _victim.RefusesOrIsWholeAsync(sound.Metadata, copy, name));
        Assert.DoesNotContain(name, opened);
        Assert.DoesNotContain(Directory.GetFiles(_victim.PathOf(".")), file => LengthOf(file) == 4);
    }

    [Fact]
    public async Task WrongPositionOrChecksumIsRefused()
    {
        var at = sound.Metadata.LastIncluded;
        foreach (var id in (LogId[])[new(at.Index + 1, at.Term), new(
            at.Index - 1, at.Term), new(at.Index, at.Term + 1), new(ulong.MaxValue, at.Term), new(0, 0)])
            await _victim.RefusesAsync(sound.Metadata with { LastIncluded = id }, sound.Path, $"{id}");
        foreach (var length in (int[])[0, 1, 31, 33, 1000])
            await _victim.RefusesAsync(
                sound.Metadata with { Checksum = new byte[length] }, sound.Path, $"a checksum of {length}");
        _victim.SurvivesReopening();
    }

    [Fact]
    public async Task WildTableFieldsUnderValidChecksumsAreRefusedOrHarmless()
    {
        var descriptor = sound.Manifest.Tables.MaxBy(table => table.Table.Length)!.Table;
        var good = File.ReadAllBytes(SoundSnapshot.TablePath(sound.Path, descriptor));
        Assert.True(TableFooter.TryDecode(good, good.Length, out var footer, out _));
        var taken = 0;
        var offered = 0;
        var made = 0;
        var current = new AttackedDatabase();
        for (var at = 0; at < TableFooter.Bytes - 8; at += 8)
            foreach (var value in Few(HostileBytes.Read(good, good.Length - TableFooter.Bytes + at, 8)))
                await OfferAsync(
                    HostileBytes.FooterSealed(HostileBytes.With(good, good.Length - TableFooter.Bytes + at, 8, value)),
                    $"footer {at}: {value}");
        foreach (var (region, step, width) in ((TableRegion, int, int)[])[
            (footer!.Properties, 8, 8), (footer.Properties, 2, 2), (footer.Index, 4, 4)])
        {
            var end = Math.Min(region.Length - width, width == 4 ? 96 : 48);
            for (var at = 0; at <= end; at += region == footer.Properties && width == 2 ? 50 : step)
                foreach (var value in Few(HostileBytes.Read(good, (int)region.Offset + at, width)))
                    await OfferAsync(
                        HostileBytes.Sealed(HostileBytes.With(good, (int)region.Offset + at, width, value), footer),
                        $"{region.Offset}+{at}: {value}");
        }

        output.WriteLine($"{offered} tables, {taken} with nothing wrong in them");
        Assert.True(offered > 100);
        Assert.True(taken < offered / 3);
        current.SurvivesReopening();
        current.Dispose();

        async Task OfferAsync(byte[] table, string what)
        {
            if (table.AsSpan().SequenceEqual(good) || !Sample.Takes(made++, 2)) return;
            offered++;
            var (copy, metadata) = Replaced(descriptor, table);
            var isWhole = await current.RefusesOrIsWholeAsync(metadata, copy, what);
            Directory.Delete(copy, recursive: true);
            if (!isWhole) return;
            taken++;
            current.Dispose();
            current = new AttackedDatabase();
        }
    }

    private static ulong[] Few(ulong good) => [0, good - 1, good + 1, int.MaxValue, ulong.MaxValue];

    /// <summary>A copy in which a table is another, named and hashed as it should be.</summary>
    private (string Path, SnapshotMetadata Metadata) Replaced(TableDescriptor descriptor, byte[] table)
    {
        var copy = sound.Copy();
        File.Delete(SoundSnapshot.TablePath(copy, descriptor));
        var changed = descriptor with { Hash = XxHash128.HashToUInt128(table), Length = table.Length };
        File.WriteAllBytes(SoundSnapshot.TablePath(copy, changed), table);
        AddedTable[] tables = [.. sound.Manifest.Tables.Select(
            added => added.Table == descriptor ? added with { Table = changed } : added)];
        return (copy, SoundSnapshot.Put(copy, SnapshotManifestCodec.Encode(sound.Manifest with { Tables = tables })));
    }

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int mkfifo(string path, uint mode);

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int mknod(string path, uint mode, ulong device);

    /// <summary>The length of a file of the engine's, who may rename it meanwhile: null then.</summary>
    private static long? LengthOf(string path)
    {
        try
        {
            return new FileInfo(path).Length;
        }
        catch (FileNotFoundException)
        {
            return null;
        }
    }
}
