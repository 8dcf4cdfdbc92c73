using System.Buffers.Binary;
using System.IO.Hashing;
using Varve.Format;
using ZstdSharp;

namespace Varve.Tests.Engine.Hostile;

/// <summary>Makes bytes that no writer of ours would, with right checksums where there are any.</summary>
internal static class HostileBytes
{
    /// <summary>Extreme values of a length or a count.</summary>
    public static ulong[] WildValues(ulong sound) =>
        [
            0, 1, sound - 1, sound + 1, sound * 2, int.MaxValue, 1UL << 31, uint.MaxValue, 1UL << 32, long.MaxValue,
            1UL << 63, ulong.MaxValue];

    /// <summary>A manifest file of any payload, said to be as long as it is.</summary>
    public static byte[] Manifest(byte[] payload)
    {
        using var compressor = new Compressor();
        return [.. SnapshotManifestCodec.EncodeHeader(payload.Length), .. compressor.Wrap(payload)];
    }

    /// <summary>Puts the right checksum on a manifest file's header of any content.</summary>
    public static byte[] ManifestSealed(byte[] file)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(file.AsSpan(24), XxHash3.HashToUInt64(file.AsSpan(0, 24)));
        return file;
    }

    /// <summary>A manifest file whose frame holds a run of zeros: a few bytes for each 128 KiB.</summary>
    public static byte[] ManifestOfZeros(int claimed, uint inFrame, uint inBlocks)
    {
        const int block = 128 << 10;
        var blocks = (int)(inBlocks / block);
        var frame = new byte[10 + (4 * blocks)];
        BinaryPrimitives.WriteUInt32LittleEndian(frame, 0xFD2F_B528);
        frame[4] = 0x80; // a content size of four bytes, and a window
        frame[5] = 0x38; // of 128 KiB
        BinaryPrimitives.WriteUInt32LittleEndian(frame.AsSpan(6), inFrame);
        for (var i = 0; i < blocks; i++)
            BinaryPrimitives.WriteUInt32LittleEndian(
                frame.AsSpan(10 + (4 * i)), (uint)((block << 3) | (1 << 1) | (i == blocks - 1 ? 1 : 0)));
        return [.. SnapshotManifestCodec.EncodeHeader(claimed), .. frame];
    }

    /// <summary>The lengths and counts of a payload: offset, width in bytes, name.</summary>
    public static List<(int At, int Width, string Name)> CountsOf(byte[] payload)
    {
        var fields = new List<(int, int, string)>();
        var at = 16 + 68;
        var terms = Take("term runs");
        at += terms * 16;
        for (var left = Take("outcome runs"); left > 0; left--)
        {
            at += 8;
            var bits = Take("outcome run length");
            at += (bits + 7) / 8;
        }

        if ((payload[16 + 2] & 1) != 0) at += 48;
        for (var left = Take("tables"); left > 0; left--)
        {
            var table = at + 8;
            fields.AddRange([
                (table + 34, 8, "table length"), (table + 58, 8, "row count"), (table + 66, 8, "tombstone count"),
                (table + 74, 8, "lease count")]);
            at = table + 82;
            var smallest = Take("smallest key length");
            at += smallest;
            var largest = Take("largest key length");
            at += largest;
        }

        if (at != payload.Length) throw new InvalidOperationException($"payload ends at {at} of {payload.Length}");
        return fields;

        int Take(string name)
        {
            fields.Add((at, 4, name));
            at += 4;
            return BinaryPrimitives.ReadInt32LittleEndian(payload.AsSpan(at - 4));
        }
    }

    public static ulong Read(ReadOnlySpan<byte> bytes, int at, int width) => width switch
    {
        2 => BinaryPrimitives.ReadUInt16LittleEndian(bytes[at..]),
        4 => BinaryPrimitives.ReadUInt32LittleEndian(bytes[at..]),
        _ => BinaryPrimitives.ReadUInt64LittleEndian(bytes[at..]),
    };

    public static byte[] With(byte[] bytes, int at, int width, ulong value)
    {
        byte[] changed = [.. bytes];
        Span<byte> number = stackalloc byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(number, value);
        number[..width].CopyTo(changed.AsSpan(at));
        return changed;
    }

    /// <summary>Puts right checksums on the regions that a sound table has, and on its footer.</summary>
    public static byte[] Sealed(byte[] table, TableFooter sound)
    {
        var salt = TableChecksum.Salt(sound.Origin, sound.OriginNumber);
        TableRegion Again(TableRegion region) => region with
        {
            Checksum = TableChecksum.Of(table.AsSpan((int)region.Offset, (int)region.Length), salt, region.Offset)
        };
        (sound with
        {
            Leases = Again(sound.Leases),
            Filter = Again(sound.Filter),
            Index = Again(sound.Index),
            Properties = Again(sound.Properties)
        })
            .Encode(table.AsSpan(^TableFooter.Bytes..));
        return table;
    }

    /// <summary>Puts the right checksum on a footer of any content.</summary>
    public static byte[] FooterSealed(byte[] table)
    {
        var footer = table.AsSpan(^TableFooter.Bytes..);
        BinaryPrimitives.WriteUInt64LittleEndian(footer[^16..], XxHash3.HashToUInt64(footer[..^16]));
        return table;
    }

    /// <summary>A packed snapshot of a manifest's file and the files after it.</summary>
    public static byte[] Pack(
        byte[] manifest, int fileCount, ulong manifestLength, params (ulong Length, byte[] Bytes)[] files)
    {
        using var pack = new MemoryStream();
        var header = PackFormat.EncodeHeader(new PackHeader(manifest.Length, fileCount));
        header = With(header, 16, 8, manifestLength);
        BinaryPrimitives.WriteUInt64LittleEndian(header.AsSpan(32), XxHash3.HashToUInt64(header.AsSpan(0, 32)));
        pack.Write(header);
        pack.Write(manifest);
        foreach (var (length, bytes) in files)
        {
            pack.Write(BitConverter.GetBytes(length));
            pack.Write(bytes);
        }

        var all = pack.ToArray();
        return [.. all, .. PackFormat.EncodeTrailer(XxHash128.HashToUInt128(all))];
    }
}
