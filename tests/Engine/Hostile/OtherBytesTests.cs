using Varve.Format;
using Varve.Storage;
using Xunit;

namespace Varve.Tests.Engine.Hostile;

/// <summary>
/// Tables and packs with a bit flipped. Opening a table would find that too, and so these demand more than the refusal:
/// nothing that has not the hash announced comes among the database's own files.
/// </summary>
public sealed class OtherBytesTests : IClassFixture<SoundSnapshot>, IDisposable
{
    private readonly SoundSnapshot _sound;
    private readonly AttackedDatabase _victim = new();
    private int _moved;

    public OtherBytesTests(SoundSnapshot sound)
    {
        _sound = sound;
        _victim.Storage.Before = (operation, path) =>
        {
            if (operation == "rename" && path.EndsWith(FileNames.TableSuffix, StringComparison.Ordinal))
                Interlocked.Increment(ref _moved);
        };
    }

    public void Dispose() => _victim.Dispose();

    [Fact]
    public async Task TableWithOtherBytesIsNeverInstalled()
    {
        foreach (var (_, table) in _sound.Manifest.Tables)
        {
            var copy = _sound.Copy();
            var path = SoundSnapshot.TablePath(copy, table);
            File.WriteAllBytes(path, Flipped(File.ReadAllBytes(path), (int)table.Length / 2));
            await RefusesUnmovedAsync(copy, "a flipped bit");
        }

        _victim.SurvivesReopening();
    }

    [Fact]
    public async Task PackedTableWithOtherBytesIsNeverInstalledDespiteValidTrailer()
    {
        var good = Files();
        for (var i = 0; i < good.Length; i++)
        {
            (ulong Length, byte[] Bytes)[] files = [.. good];
            files[i].Bytes = Flipped(files[i].Bytes, files[i].Bytes.Length / 2);
            var refused = await RefusesUnmovedAsync(Put(Pack(files)), $"a flipped bit in table {i} of a pack");
            Assert.Contains("hash", refused.Message, StringComparison.Ordinal);
        }

        _victim.SurvivesReopening();
    }

    [Fact]
    public async Task FlippedBitAnywhereInPackIsRefused()
    {
        var pack = Pack(Files());
        for (var i = 0; i < PackFormat.HeaderSize; i++)
            await RefusesUnmovedAsync(Put(Flipped(pack, i)), $"a flipped bit in the pack's header, {i}");
        for (var i = 1; i <= 16; i++)
        {
            var refused = await RefusesUnmovedAsync(
                Put(Flipped(pack, pack.Length - i)), $"a flipped bit in the pack's trailer, {i}");
            Assert.Contains("trailer", refused.Message, StringComparison.Ordinal);
        }

        for (var i = PackFormat.HeaderSize; i < pack.Length - PackFormat.TrailerSize; i += pack.Length / 40)
            await RefusesUnmovedAsync(Put(Flipped(pack, i)), $"a flipped bit in the pack, {i}");
        _victim.SurvivesReopening();
    }

    private async Task<VarveException> RefusesUnmovedAsync(string path, string what)
    {
        var refused = await _victim.RefusesAsync(_sound.Metadata, path, what);
        Assert.True(_moved == 0, $"{what}: a table was moved in");
        return refused;
    }

    private (ulong Length, byte[] Bytes)[] Files() =>
        [.. _sound.Manifest.Tables.Select(table =>
            ((ulong)table.Table.Length, File.ReadAllBytes(SoundSnapshot.TablePath(_sound.Path, table.Table))))];

    private byte[] Pack((ulong Length, byte[] Bytes)[] files) =>
        HostileBytes.Pack(_sound.ManifestBytes, files.Length, (ulong)_sound.ManifestBytes.Length, files);

    private string Put(byte[] pack)
    {
        var path = Path.Combine(Path.GetDirectoryName(_sound.Path)!, "flipped.varve");
        File.WriteAllBytes(path, pack);
        return path;
    }

    private static byte[] Flipped(byte[] bytes, int at) => HostileBytes.With(bytes, at, 1, bytes[at] ^ 1UL);
}
