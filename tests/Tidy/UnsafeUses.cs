using System.Text.RegularExpressions;

namespace Varve.Tests.Tidy;

/// <summary>
/// The rooms of src that use memory-unsafe code, and how often a room uses each kind. A test refuses a use more and a
/// use less: the list is what there is, so that a reviewer sees every change of it.
/// </summary>
internal static partial class UnsafeUses
{
    public const string Keyword = "unsafe";
    public const string UnsafeClass = "Unsafe.";
    public const string MemoryMarshal = "MemoryMarshal.";
    public const string UncheckedVector = "LoadUnsafe, StoreUnsafe";
    public const string VectorLoad = "Vector.Load";

    public static readonly Dictionary<string, (string Kind, int Uses)[]> Known = new()
    {
        ["src/Engine/Commit"] = [(UnsafeClass, 2), (MemoryMarshal, 1)],
        ["src/Engine/Contract"] = [(MemoryMarshal, 3)],
        ["src/Engine/Iterators"] = [(Keyword, 26), (UnsafeClass, 5)],
        ["src/Engine/LiveKeys"] = [(Keyword, 3)],
        ["src/Engine/Memory"] = [(Keyword, 23), (UnsafeClass, 1), (MemoryMarshal, 1)],
        ["src/Engine/Memtables"] = [(Keyword, 124), (UnsafeClass, 2), (VectorLoad, 7)],
        ["src/Engine/Storage"] = [(Keyword, 30)],
        ["src/Engine/Tables"] =
        [
            (Keyword, 99), (UnsafeClass, 18), (MemoryMarshal, 4), (UncheckedVector, 4), (VectorLoad, 8),
        ],
        ["src/Engine/Wal"] = [(Keyword, 8), (UnsafeClass, 1), (MemoryMarshal, 2), (VectorLoad, 1)],
        ["src/Format"] = [(Keyword, 14), (UnsafeClass, 13), (MemoryMarshal, 12), (UncheckedVector, 4)],
    };

    public static readonly Dictionary<string, Regex> Kinds = new()
    {
        [Keyword] = KeywordUse(),
        [UnsafeClass] = UnsafeClassUse(),
        [MemoryMarshal] = MemoryMarshalUse(),
        [UncheckedVector] = UncheckedVectorUse(),
        [VectorLoad] = VectorLoadUse(),
    };

    [GeneratedRegex(@"\bunsafe\b")]
    private static partial Regex KeywordUse();

    [GeneratedRegex(@"(?<!\.)\bUnsafe\s*\.(?!\s*SkipInit\b)")]
    private static partial Regex UnsafeClassUse();

    [GeneratedRegex(@"\b(Memory|Collections)Marshal\s*\.")]
    private static partial Regex MemoryMarshalUse();

    [GeneratedRegex(@"\b(Load|Store)Unsafe\b")]
    private static partial Regex UncheckedVectorUse();

    [GeneratedRegex(@"\bVector\d*\s*\.\s*Load(Aligned\w*)?\s*\(")]
    private static partial Regex VectorLoadUse();
}
