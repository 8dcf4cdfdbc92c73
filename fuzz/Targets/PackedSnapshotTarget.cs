using System.Buffers.Binary;
using System.IO.Hashing;
using Varve.Format;
using Varve.Snapshots;
using Varve.Storage;
using Varve.Tests.Shared.Disk;
using static Varve.Fuzz.Targets.Contract;

namespace Varve.Fuzz.Targets;

/// <summary>
/// A packed snapshot, unpacked into memory. With <see cref="SealedInput.Reseal"/> the trailer is put right; with flag 2
/// the bytes are a u16 length, a manifest's payload of that length, and the tables' bytes, and a pack is made of them.
/// </summary>
internal static class PackedSnapshotTarget
{
    private const byte Assemble = 2;
    internal const string Staging = "/staging";
    private const string Pack = "/pack";

    public static ulong Run(ReadOnlySpan<byte> input)
    {
        var bytes = Packed(input, out _);
        using var storage = new SimFs();
        try
        {
            using (var pack = storage.Open(Pack, FileIntent.CreateNew)) pack.Write(0, bytes);
            PackUnpacker.Unpack(storage, Pack, Staging);
            storage.Delete(Pack);
        }
        catch (VarveException rejected) when (rejected is SnapshotRejectedException or UnsupportedFormatException)
        {
            storage.Delete(Pack);
            Holds(!storage.FileExists(Staging + "/" + SnapshotNames.Manifest), "no manifest where a pack was refused");
            CheckNames(storage);
            return Feature.Of(Reason(rejected), (ulong)Files(storage).Count);
        }

        CheckNames(storage);
        using var packed = new MemoryStream();
        PackWriter.PackAsync(storage, Staging, packed).GetAwaiter().GetResult();
        Holds(packed.ToArray().AsSpan().SequenceEqual(bytes), "the same pack when packed again");
        return Feature.Of("unpacked", (ulong)Files(storage).Count);
    }

    /// <summary>The pack that the input describes, and its flags.</summary>
    internal static byte[] Packed(ReadOnlySpan<byte> input, out byte flags)
    {
        var bytes = SealedInput.Open(input, out flags);
        if ((flags & Assemble) != 0) bytes = Assembled(bytes, SnapshotManifestTarget.Frame) ?? bytes;
        if ((flags & SealedInput.Reseal) != 0 && bytes.Length >= PackFormat.TrailerSize)
            PackFormat.EncodeTrailer(XxHash128.HashToUInt128(bytes.AsSpan(..^PackFormat.TrailerSize))).CopyTo(
                bytes.AsSpan(^PackFormat.TrailerSize..));
        return bytes;
    }

    public static IEnumerable<(string, byte[])> Seeds()
    {
        var payload = SnapshotManifestCodec.EncodePayload(Samples.Manifest with
        {
            Tables = [new AddedTable(2, Samples.Table with { Length = 40 }), new AddedTable(
                1, Samples.Table with { OriginNumber = 5, Length = 3 })],
        });
        byte[] parts = [(byte)payload.Length, (byte)(payload.Length >> 8), .. payload, .. Enumerable.Range(0, 43)
            .Select(i => (byte)i)];
        return [.. SealedInput.Seeds("pack", Assembled(parts, Compressed)!), ("parts", [Assemble, .. parts]), (
            "parts-resealed", [Assemble | SealedInput.Reseal, .. parts])];
    }

    private static byte[] Compressed(byte[] payload) =>
        SnapshotManifestCodec.TryDecodePayload(payload, out var manifest, out _)
            ? SnapshotManifestCodec.Encode(manifest)
            : [];

    /// <summary>
    /// A pack whose tables have the lengths and hashes of the bytes there are; null when the payload is none.
    /// </summary>
    private static byte[]? Assembled(ReadOnlySpan<byte> parts, Func<byte[], byte[]> frame)
    {
        if (parts.Length < 2) return null;
        var length = BinaryPrimitives.ReadUInt16LittleEndian(parts);
        if (length > parts.Length - 2
            || !SnapshotManifestCodec.TryDecodePayload(parts.Slice(2, length), out var manifest, out _))
            return null;
        var rest = parts[(2 + length)..];
        using var body = new MemoryStream();
        var tables = new List<AddedTable>();
        foreach (var (order, table) in manifest.Tables)
        {
            var content = rest[..(int)Math.Min(table.Length, rest.Length)];
            rest = rest[content.Length..];
            tables.Add(new AddedTable(
                order, table with { Length = Math.Max(1, content.Length), Hash = XxHash128.HashToUInt128(content) }));
            body.Write(PackFormat.EncodeFileHeader(Math.Max(1, content.Length)));
            body.Write(content);
        }

        // Tables of the same bytes and number: no pack can name both.
        if (tables.DistinctBy(added => (added.Table.OriginNumber, added.Table.Hash)).Count() != tables.Count)
            return null;
        var file = frame(SnapshotManifestCodec.EncodePayload(manifest with { Tables = [.. tables] }));
        byte[] pack = [
            .. PackFormat.EncodeHeader(new PackHeader(file.Length, tables.Count)), .. file, .. body.ToArray(), .. rest];
        return [.. pack, .. PackFormat.EncodeTrailer(XxHash128.HashToUInt128(pack))];
    }

    internal static void CheckNames(SimFs storage)
    {
        Holds(storage.List("/").All(name => name == Staging[1..] + "/"), "the staging directory alone");
        if (storage.DirectoryExists(Staging))
            Holds(storage.List(Staging).Count == Files(storage).Count, "files alone in the staging directory");
    }

    /// <summary>The paths of what was unpacked.</summary>
    internal static IReadOnlyList<string> Files(SimFs storage) =>
        storage.DirectoryExists(Staging) ? storage.Files(Staging) : [];

    /// <summary>The reason without its path and numbers, so that it yields few features.</summary>
    internal static string Reason(VarveException rejected) => rejected is UnsupportedFormatException
        ? "unsupported"
        : Feature.Branch(rejected.Message[rejected.Message.IndexOf("rejected", StringComparison.Ordinal)..]);
}
