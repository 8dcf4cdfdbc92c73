using Varve.Format;
using Xunit;
using Xunit.Abstractions;

namespace Varve.Tests.Engine.Hostile;

/// <summary>Manifests, and packs of them, by an enemy whose checksum is the one announced.</summary>
public sealed class HostileManifestTests(SoundSnapshot sound, ITestOutputHelper output)
    : IClassFixture<SoundSnapshot>, IDisposable
{
    private readonly AttackedDatabase _victim = new();

    public void Dispose() => _victim.Dispose();

    [Fact]
    public async Task WildLengthsAndCountsAreRefused()
    {
        var payload = SnapshotManifestCodec.EncodePayload(sound.Manifest);
        var copy = sound.Copy();
        var offered = 0;
        foreach (var (at, width, name) in HostileBytes.CountsOf(payload))
        {
            var good = HostileBytes.Read(payload, at, width);
            foreach (var value in HostileBytes.WildValues(good))
            {
                var bad = HostileBytes.With(payload, at, width, value);
                if (bad.AsSpan().SequenceEqual(payload)) continue;
                // One outcome more or less in the same bytes is another history, and no contradiction.
                if (name == "outcome run length" && (good + 7) / 8 == (value + 7) / 8) continue;
                await _victim.RefusesAsync(
                    SoundSnapshot.Put(copy, HostileBytes.Manifest(bad)), copy, $"{name} {good} at {at} as {value}");
                offered++;
            }
        }

        output.WriteLine($"{offered} manifests");
        Assert.True(offered > 150);
        _victim.SurvivesReopening();
    }

    [Fact]
    public async Task WildPayloadLengthIsRefused()
    {
        var copy = sound.Copy();
        var good = HostileBytes.Read(sound.ManifestBytes, 16, 4);
        foreach (var value in HostileBytes.WildValues(good).Append((ulong)SnapshotManifestCodec.PayloadLengthMax)
            .Append((ulong)SnapshotManifestCodec.PayloadLengthMax + 1))
        {
            var bad = HostileBytes.ManifestSealed(HostileBytes.With(sound.ManifestBytes, 16, 4, value));
            if (bad.AsSpan().SequenceEqual(sound.ManifestBytes)) continue;
            await _victim.RefusesAsync(SoundSnapshot.Put(copy, bad), copy, $"payload of {value}");
        }

        _victim.SurvivesReopening();
    }

    [Fact]
    public async Task OtherFormatVersionIsRefusedAndNamed()
    {
        var copy = sound.Copy();
        var refused = await _victim.RefusesAsync(
            SoundSnapshot.Put(copy, HostileBytes.ManifestSealed(HostileBytes.With(sound.ManifestBytes, 8, 4, 2))), copy,
            "version 2");
        Assert.IsType<UnsupportedFormatException>(refused);
        _victim.SurvivesReopening();
    }

    [Fact]
    public async Task DuplicateOverlappingOrUnorderedTablesAreRefused()
    {
        // The encoder would not write these, so their bytes are put together from single tables.
        var copy = sound.Copy();
        var tables = sound.Manifest.Tables;
        Assert.True(tables.Length >= 2);
        AddedTable[][] lists =
        [
            [tables[0], .. tables],
            [.. tables, tables[^1]],
            [.. tables.Reverse()],
            [.. tables.Select(table => table with { RunOrder = 1 })],
            [.. tables.Select((table, i) => table with { RunOrder = (ulong)i })],
            [tables[0] with
            {
                Table = tables[0].Table with
                {
                    SmallestKey = tables[0].Table.LargestKey,
                    LargestKey = tables[0].Table.SmallestKey
                }
            }, .. tables[1..]],
        ];
        foreach (var list in lists)
            await _victim.RefusesAsync(
                SoundSnapshot.Put(copy, HostileBytes.Manifest(PayloadOf(list))), copy,
                $"tables in {Array.IndexOf(lists, list)}");
        _victim.SurvivesReopening();
    }

    [Fact]
    public async Task OverflowingCountsAreRefused()
    {
        var copy = sound.Copy();
        AddedTable[] tables = [.. sound.Manifest.Tables];
        tables[0] = tables[0] with
        {
            Table = tables[0].Table with { RowCount = long.MaxValue, TombstoneCount = 0, LeaseCount = 0 }
        };
        var rows = await _victim.RefusesAsync(
            SoundSnapshot.Put(copy, SnapshotManifestCodec.Encode(sound.Manifest with { Tables = tables })), copy,
            "2^63 - 1 rows in a table, and those of the others");
        // Of a sum that has gone round there would be too few rows.
        Assert.DoesNotContain("live keys", rows.Message, StringComparison.Ordinal);
        var state = sound.Manifest.State with { LiveCount = long.MaxValue };
        var live = await _victim.RefusesAsync(
            SoundSnapshot.Put(copy, SnapshotManifestCodec.Encode(sound.Manifest with { State = state })), copy,
            "2^63 - 1 live keys");
        Assert.Contains("live keys", live.Message, StringComparison.Ordinal);
        _victim.SurvivesReopening();
    }

    [Fact]
    public async Task WildPackLengthsAreRefused()
    {
        var manifest = sound.ManifestBytes;
        var metadata = SoundSnapshot.Announce(manifest);
        (ulong Length, byte[] Bytes)[] files = [.. sound.Manifest.Tables.Select(
            table => ((ulong)table.Table.Length, File.ReadAllBytes(SoundSnapshot.TablePath(sound.Path, table.Table))))];
        var path = Path.Combine(Path.GetDirectoryName(sound.Path)!, "hostile.varve");
        foreach (var value in HostileBytes.WildValues((ulong)files.Length))
            if (value != (ulong)files.Length)
                await OfferAsync(
                    HostileBytes.Pack(manifest, (int)value, (ulong)manifest.Length, files), $"{value} files");
        foreach (var value in HostileBytes.WildValues((ulong)manifest.Length))
            if (value != (ulong)manifest.Length)
                await OfferAsync(HostileBytes.Pack(manifest, files.Length, value, files), $"a manifest of {value}");
        foreach (var value in HostileBytes.WildValues(files[0].Length))
            if (value != files[0].Length)
                await OfferAsync(
                    HostileBytes.Pack(
                        manifest, files.Length, (ulong)manifest.Length, [(value, files[0].Bytes), .. files[1..]]),
                    $"a table of {value}");
        await OfferAsync(HostileBytes.Pack(manifest, files.Length, (ulong)manifest.Length, files[1..]), "a file less");
        await OfferAsync(
            HostileBytes.Pack(manifest, files.Length, (ulong)manifest.Length, [.. files, files[0]]), "a file more");
        await OfferAsync(
            [.. HostileBytes.Pack(manifest, files.Length, (ulong)manifest.Length, files), 0],
            "a byte after the trailer");
        var inner = HostileBytes.Pack(manifest, files.Length, (ulong)manifest.Length, files);
        await OfferAsync(
            HostileBytes.Pack(inner, files.Length, (ulong)inner.Length, files), "a pack where the manifest should be");
        _victim.SurvivesReopening();

        async Task OfferAsync(byte[] pack, string what)
        {
            File.WriteAllBytes(path, pack);
            await _victim.RefusesAsync(metadata, path, what);
        }
    }

    private byte[] PayloadOf(AddedTable[] tables)
    {
        var buffer = new System.Buffers.ArrayBufferWriter<byte>();
        new FieldWriter(buffer).Identifier(sound.Manifest.DatabaseId);
        MachineStateCodec.Encode(buffer, sound.Manifest.State);
        new FieldWriter(buffer).U32((uint)tables.Length);
        foreach (var table in tables)
        {
            new FieldWriter(buffer).U64(table.RunOrder);
            var good = table.Table.SmallestKey.AsSpan().SequenceCompareTo(table.Table.LargestKey) <= 0;
            if (good) TableDescriptorCodec.Encode(buffer, table.Table);
            else
            {
                // Keys of one length: the two change places.
                var bytes = TableDescriptorCodec.Encode(
                    table.Table with { SmallestKey = table.Table.LargestKey, LargestKey = table.Table.SmallestKey });
                var key = table.Table.SmallestKey.Length;
                table.Table.SmallestKey.CopyTo(bytes, 86);
                table.Table.LargestKey.CopyTo(bytes, 86 + key + 4);
                System.Buffers.BuffersExtensions.Write(buffer, bytes);
            }
        }

        return buffer.WrittenSpan.ToArray();
    }
}
