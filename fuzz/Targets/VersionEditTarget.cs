using Varve.Format;
using static Varve.Fuzz.Targets.Contract;

namespace Varve.Fuzz.Targets;

/// <summary>One step of the manifest; its bytes have one form each.</summary>
internal static class VersionEditTarget
{
    public static ulong Run(ReadOnlySpan<byte> input)
    {
        var decoded = VersionEditCodec.TryDecode(input, out var edit, out var error);
        ErrorFits(decoded, error, input.Length);
        if (!decoded) return Feature.Of(error);
        Holds(VersionEditCodec.Encode(edit!).AsSpan().SequenceEqual(input), "the same bytes when encoded again");
        return Feature.Of("edit", Feature.Bucket(edit!.Removed.Length) << 16 | Feature.Bucket(edit.Added.Length) << 2
            | (edit.State is null ? 0u : 1u) | (edit.Replace ? 2u : 0u));
    }

    public static IEnumerable<(string, byte[])> Seeds() =>
        [("first", VersionEditCodec.Encode(Samples.Edit)), ("compaction", VersionEditCodec.Encode(Samples.Compaction))];
}
