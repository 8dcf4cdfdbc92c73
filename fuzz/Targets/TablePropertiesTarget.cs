using Varve.Format;
using static Varve.Fuzz.Targets.Contract;

namespace Varve.Fuzz.Targets;

/// <summary>The properties block of a table; its bytes have one form each.</summary>
internal static class TablePropertiesTarget
{
    public static ulong Run(ReadOnlySpan<byte> input)
    {
        var decoded = TableProperties.TryDecode(input, out var properties, out var error);
        ErrorFits(decoded, error, Math.Max(52, input.Length));
        if (!decoded) return Feature.Of(error);
        var again = new byte[properties!.EncodedLength];
        properties.Encode(again);
        Holds(again.AsSpan().SequenceEqual(input), "the same bytes when encoded again");
        return Feature.Of("properties", Feature.Bucket(properties.BlockCount));
    }

    public static IEnumerable<(string, byte[])> Seeds()
    {
        var properties = new TableProperties
        {
            RowCount = 100,
            TombstoneCount = 5,
            LeaseCount = 3,
            BlockCount = 4,
            SmallestDeadline = 10,
            LargestDeadline = 1_700_000_000_000,
            SmallestKey = "apple"u8.ToArray(),
            LargestKey = "pear"u8.ToArray(),
        };
        var bytes = new byte[properties.EncodedLength];
        properties.Encode(bytes);
        return [("properties", bytes)];
    }
}
