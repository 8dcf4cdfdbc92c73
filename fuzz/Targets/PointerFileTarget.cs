using System.Buffers.Binary;
using System.IO.Hashing;
using Varve.Format;
using static Varve.Fuzz.Targets.Contract;

namespace Varve.Fuzz.Targets;

/// <summary>IDENTITY and CURRENT.</summary>
internal static class PointerFileTarget
{
    public static ulong Run(ReadOnlySpan<byte> input)
    {
        var bytes = SealedInput.Open(input, out var flags);
        if ((flags & SealedInput.Reseal) != 0 && bytes.Length >= PointerFile.Size)
            BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(40), XxHash3.HashToUInt64(bytes.AsSpan(0, 40)));
        var decoded = PointerFile.TryDecode(bytes, out var pointer, out var error);
        ErrorFits(decoded, error, Math.Max(bytes.Length, PointerFile.Size));
        if (!decoded) return Feature.Of(error);
        Holds(pointer.Encode().AsSpan().SequenceEqual(bytes), "the same bytes when encoded again");
        return pointer.ManifestNumber == 0 ? 2u : 3u;
    }

    public static IEnumerable<(string, byte[])> Seeds() =>
        [.. SealedInput.Seeds("identity", new PointerFile(Samples.Database, 0).Encode()), .. SealedInput.Seeds(
            "current", new PointerFile(Samples.Database, 12).Encode())];
}
