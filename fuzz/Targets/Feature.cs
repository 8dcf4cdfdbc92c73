using System.Numerics;
using Varve.Format;

namespace Varve.Fuzz.Targets;

/// <summary>
/// The feature that an execution reached, as a number. It stands in for coverage: a decoder's reason for refusing tells
/// the branch, the offset's bucket the depth. The same in every process.
/// </summary>
internal static class Feature
{
    private const ulong Prime = 0x100000001B3;

    public static ulong Of(DecodeError error) =>
        !error.IsFault ? 1 : Of(error.IsUnsupported ? "unsupported" : Branch(error.Reason), Bucket(error.Offset));

    /// <summary>
    /// A reason without its values, of which there are too many: digits, and possible hexadecimal ones.
    /// </summary>
    public static string Branch(string reason) => new([.. reason.Where(c => !char.IsAsciiHexDigitLower(c))]);

    /// <summary>A name and a number of few values.</summary>
    public static ulong Of(string name, ulong value = 0)
    {
        var hash = 0xCBF29CE484222325;
        foreach (var c in name) hash = (hash ^ c) * Prime;
        return Join(hash, value);
    }

    public static ulong Join(ulong first, ulong second) =>
        BitOperations.RotateLeft(first, 23) * 0x9E3779B97F4A7C15 ^ (second + 1) * Prime;

    /// <summary>Few values for many: fine below 64, then one for each power of two.</summary>
    public static ulong Bucket(long value) =>
        value < 64 ? (ulong)Math.Max(0, value) / 4 : 64 + (ulong)BitOperations.Log2((ulong)value);
}
