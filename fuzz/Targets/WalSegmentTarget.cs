using System.Buffers.Binary;
using System.IO.Hashing;
using Varve.Format;
using static Varve.Fuzz.Targets.Contract;

namespace Varve.Fuzz.Targets;

/// <summary>The first page of a WAL segment.</summary>
internal static class WalSegmentTarget
{
    private const int ChecksumOffset = 56;

    public static ulong Run(ReadOnlySpan<byte> input)
    {
        var bytes = SealedInput.Open(input, out var flags);
        if ((flags & SealedInput.Reseal) != 0 && bytes.Length >= ChecksumOffset + 8)
            BinaryPrimitives.WriteUInt64LittleEndian(
                bytes.AsSpan(ChecksumOffset), XxHash3.HashToUInt64(bytes.AsSpan(0, ChecksumOffset)));
        var decoded = WalSegmentHeader.TryDecode(bytes, out var header, out var error);
        ErrorFits(decoded, error, bytes.Length);
        if (!decoded) return Feature.Of(error);

        var page = new byte[WalSegmentHeader.Size];
        header.Encode(page);
        Holds(
            WalSegmentHeader.TryDecode(page, out var again, out _) && again == header,
            "the same header when encoded again");
        return Feature.Bucket(header.Length);
    }

    public static IEnumerable<(string, byte[])> Seeds()
    {
        var page = new byte[WalSegmentHeader.Size];
        new WalSegmentHeader(Samples.Database, 7, 0x0123_4567_89AB_CDEF, 64 << 20).Encode(page);
        return SealedInput.Seeds("header", page.AsSpan(0, 64));
    }
}
