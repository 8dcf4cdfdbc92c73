using System.Buffers.Binary;
using System.IO.Hashing;
using Varve.Format;
using static Varve.Fuzz.Targets.Contract;

namespace Varve.Fuzz.Targets;

/// <summary>The end of a table file: u64 length of the file, then its last bytes.</summary>
internal static class TableFooterTarget
{
    public static ulong Run(ReadOnlySpan<byte> input)
    {
        var bytes = SealedInput.Open(input, out var flags);
        if (bytes.Length < sizeof(ulong)) return 0;
        var fileLength = BinaryPrimitives.ReadInt64LittleEndian(bytes) & long.MaxValue;
        var end = bytes.AsSpan(sizeof(ulong));
        if ((flags & SealedInput.Reseal) != 0) Reseal(end);
        var decoded = TableFooter.TryDecode(end, fileLength, out var footer, out var error);
        ErrorFits(decoded, error, end.Length);
        if (!decoded) return Feature.Of(error);

        var again = new byte[TableFooter.Bytes];
        footer!.Encode(again);
        Holds(again.AsSpan().SequenceEqual(end[^TableFooter.Bytes..]), "the same bytes when encoded again");
        foreach (var region in new[] { footer.Leases, footer.Filter, footer.Index, footer.Properties })
            Holds(
                region.Offset >= footer.DataLength && region.Length >= 0 && region.End <= footer.Offset,
                "regions between the data and the footer");
        Holds(footer.Offset + TableFooter.Bytes == fileLength, "a footer at the end of the file");
        return 2;
    }

    public static IEnumerable<(string, byte[])> Seeds()
    {
        var footer = new TableFooter
        {
            Origin = Samples.Database,
            OriginNumber = 7,
            DataLength = 128,
            Leases = new TableRegion(128, 32, 1),
            Filter = new TableRegion(192, 64, 2),
            Index = new TableRegion(256, 270, 3),
            Properties = new TableRegion(576, 60, 4),
            HashSeed = TestHash.Seed,
        };
        var bytes = new byte[sizeof(ulong) + TableFooter.Bytes];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, footer.Offset + TableFooter.Bytes);
        footer.Encode(bytes.AsSpan(sizeof(ulong)));
        return SealedInput.Seeds("footer", bytes);
    }

    /// <summary>Puts the right checksum over a footer of the length that it names.</summary>
    public static void Reseal(Span<byte> end)
    {
        if (end.Length < 24) return;
        var length = BinaryPrimitives.ReadUInt32LittleEndian(end[^20..]);
        if (length < 24 || length > end.Length) return;
        BinaryPrimitives.WriteUInt64LittleEndian(end[^16..], XxHash3.HashToUInt64(end[^(int)length..^16]));
    }
}
