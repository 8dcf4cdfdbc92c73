using System.Text.RegularExpressions;

namespace Varve.Tests.Tidy;

/// <summary>
/// The rooms of src that use memory-unsafe code, and each kind that a room uses. A test refuses a kind that a room has
/// and this list lacks, and an entry that no code needs.
/// </summary>
internal static partial class UnsafeUses
{
    public const string Keyword = "unsafe";
    public const string UnsafeClass = "Unsafe.";
    public const string MemoryMarshal = "MemoryMarshal.";
    public const string UncheckedVector = "LoadUnsafe, StoreUnsafe";
    public const string VectorLoad = "Vector.Load";

    public static readonly Dictionary<string, string[]> Known = new()
    {
        ["src/Engine/Commit"] = [UnsafeClass, MemoryMarshal],
        ["src/Engine/Contract"] = [MemoryMarshal],
        ["src/Engine/Iterators"] = [Keyword, UnsafeClass],
        ["src/Engine/LiveKeys"] = [Keyword],
        ["src/Engine/Memory"] = [Keyword, UnsafeClass, MemoryMarshal],
        ["src/Engine/Memtables"] = [Keyword, UnsafeClass, VectorLoad],
        ["src/Engine/Storage"] = [Keyword],
        ["src/Engine/Tables"] = [Keyword, UnsafeClass, MemoryMarshal, UncheckedVector, VectorLoad],
        ["src/Engine/Wal"] = [Keyword, UnsafeClass, MemoryMarshal, VectorLoad],
        ["src/Format"] = [Keyword, UnsafeClass, MemoryMarshal, UncheckedVector],
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
