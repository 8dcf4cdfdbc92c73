using System.Buffers.Binary;
using System.IO.Hashing;
using System.Security.Cryptography;
using Varve.Format;
using Varve.Tests.Engine.Hostile;
using Xunit;

namespace Varve.Tests.Engine.Evolution;

/// <summary>
/// Changes bytes of a file as a newer build could have written them: every checksum over them is right again.
/// </summary>
internal static class NewerBytesInFiles
{
    /// <summary>
    /// A file whose first checksum is at <paramref name="checksum"/> and covers everything before it.
    /// </summary>
    public static void Header(string path, int checksum, int at, uint value) => Edit(path, bytes =>
    {
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(at), value);
        BinaryPrimitives.WriteUInt64LittleEndian(
            bytes.AsSpan(checksum), XxHash3.HashToUInt64(bytes.AsSpan(0, checksum)));
        return bytes;
    });

    /// <summary>A record of a segment.</summary>
    public static void Record(string segment, long offset, Action<byte[]> change) => Edit(segment, bytes =>
    {
        Assert.True(WalSegmentHeader.TryDecode(bytes, out var header, out _));
        var length = (int)BinaryPrimitives.ReadInt64LittleEndian(bytes.AsSpan((int)offset + 16));
        var record = bytes.AsSpan((int)offset, length).ToArray();
        change(record);
        BinaryPrimitives.WriteUInt64LittleEndian(record, XxHash3.HashToUInt64(record.AsSpan(8), (long)header.Salt));
        record.CopyTo(bytes, offset);
        return bytes;
    });

    /// <summary>The last record of a manifest.</summary>
    public static void LastEdit(string manifest, Func<byte[], byte[]> change) => Edit(manifest, bytes =>
    {
        Assert.True(ManifestLog.TryDecodeHeader(bytes, out _, out var salt, out _));
        long last = 0;
        var payload = Array.Empty<byte>();
        for (long at = ManifestLog.HeaderSize;
            ManifestLog.TryReadRecord(bytes, at, salt, out var next, out var end) == ManifestReadResult.Record;
            at = end)
            (last, payload) = (at, next.ToArray());
        var length = (int)ManifestLog.SizeOf(payload.Length);
        var record = ManifestLog.EncodeRecord(salt, last, change(payload));
        Assert.Equal(length, record.Length);
        record.CopyTo(bytes, last);
        return bytes;
    });

    /// <summary>The footer of a table.</summary>
    public static void Footer(string table, Action<Span<byte>> change) => Edit(table, bytes =>
    {
        change(bytes.AsSpan(^TableFooter.Bytes..));
        return HostileBytes.FooterSealed(bytes);
    });

    /// <summary>The first data block of a table.</summary>
    public static void Block(string table, Action<Span<byte>> change) => Edit(table, bytes =>
    {
        Assert.True(TableFooter.TryDecode(bytes, bytes.Length, out var footer, out _));
        var block = bytes.AsSpan(0, (int)DataBlockHeader.Extent(DataBlockShape.ReadHeader(bytes).Length));
        change(block);
        var salt = TableChecksum.Salt(footer!.Origin, footer.OriginNumber);
        BinaryPrimitives.WriteUInt64LittleEndian(block[^8..], TableChecksum.Of(block[..^8], salt, 0));
        return bytes;
    });

    /// <summary>The payload of a snapshot's manifest; gives the metadata that announces it.</summary>
    public static SnapshotMetadata Payload(string snapshot, Func<byte[], byte[]> change) => Manifest(snapshot, file =>
    {
        Assert.True(SnapshotManifestCodec.TryDecode(file, out var manifest, out _));
        return HostileBytes.Manifest(change(SnapshotManifestCodec.EncodePayload(manifest)));
    });

    /// <summary>The file of a snapshot's manifest; gives the metadata that announces it.</summary>
    public static SnapshotMetadata Manifest(string snapshot, Func<byte[], byte[]> change)
    {
        var path = Path.Combine(snapshot, SnapshotNames.Manifest);
        var sound = File.ReadAllBytes(path);
        Assert.True(SnapshotManifestCodec.TryDecode(sound, out var manifest, out _));
        Edit(path, change);
        return new SnapshotMetadata(
            new LogId(manifest.State.LastIndex, manifest.State.LastTerm), SHA256.HashData(File.ReadAllBytes(path)));
    }

    /// <summary>Puts a manifest's file into a pack; its tables and its trailer follow as they should.</summary>
    public static void Pack(string pack, byte[] manifest) => Edit(pack, bytes =>
    {
        Assert.True(PackFormat.TryDecodeHeader(bytes, out var header, out _));
        byte[] all = [.. PackFormat.EncodeHeader(header with { ManifestLength = manifest.Length }), .. manifest,
            .. bytes[(PackFormat.HeaderSize + header.ManifestLength)..^PackFormat.TrailerSize]];
        return [.. all, .. PackFormat.EncodeTrailer(XxHash128.HashToUInt128(all))];
    });

    private static void Edit(string path, Func<byte[], byte[]> change)
    {
        var bytes = change(File.ReadAllBytes(path));
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        File.WriteAllBytes(path, bytes);
    }
}
