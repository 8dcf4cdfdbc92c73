using System.Buffers.Binary;
using Varve.Format;

namespace Varve.Fuzz.Targets;

/// <summary>
/// The enemy who computes checksums: puts right ones on footer, regions and blocks, wherever the damaged bytes say that
/// they are, and on wish copies the blocks' first lines into the index.
/// </summary>
internal static class TableSeal
{
    public static void Reseal(Span<byte> file, bool copyLines)
    {
        TableFooterTarget.Reseal(file);
        if (!TableFooter.TryDecode(file, file.Length, out var footer, out _)) return;
        var salt = TableChecksum.Salt(footer!.Origin, footer.OriginNumber);
        SealBlocks(file, footer, salt, copyLines);
        (footer with
        {
            Leases = Sealed(file, footer.Leases, salt),
            Filter = Sealed(file, footer.Filter, salt),
            Index = Sealed(file, footer.Index, salt),
            Properties = Sealed(file, footer.Properties, salt),
        }).Encode(file[^TableFooter.Bytes..]);
    }

    private static void SealBlocks(Span<byte> file, TableFooter footer, ulong salt, bool copyLines)
    {
        var index = file.Slice((int)footer.Index.Offset, (int)footer.Index.Length);
        if (!TableIndex.TryValidate(index, footer.DataLength, out var shape, out _)) return;
        for (var block = 0; block < shape!.BlockCount; block++)
        {
            var offsets = index[(int)(shape.BlockOffsetsOffset + 4 * block)..];
            var begin = (int)BinaryPrimitives.ReadUInt32LittleEndian(offsets) * DataBlockHeader.Alignment;
            var end = (int)BinaryPrimitives.ReadUInt32LittleEndian(offsets[4..]) * DataBlockHeader.Alignment;
            if (copyLines)
                file.Slice(begin, DataBlockHeader.HeadsOffset).CopyTo(
                    index[(int)(shape.LinesOffset + DataBlockHeader.HeadsOffset * block)..]);
            var covered = file[begin..(end - DataBlockHeader.ChecksumBytes)];
            BinaryPrimitives.WriteUInt64LittleEndian(
                file[(end - DataBlockHeader.ChecksumBytes)..], TableChecksum.Of(covered, salt, begin));
        }
    }

    private static TableRegion Sealed(ReadOnlySpan<byte> file, TableRegion region, ulong salt) =>
        region with
        {
            Checksum = TableChecksum.Of(file.Slice((int)region.Offset, (int)region.Length), salt, region.Offset)
        };
}
