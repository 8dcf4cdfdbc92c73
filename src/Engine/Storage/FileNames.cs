using System.Globalization;

namespace Varve.Storage;

/// <summary>The names in a database directory. Files that none of these match are not ours and are left alone.</summary>
internal static class FileNames
{
    public const string Lock = "LOCK";
    public const string Identity = "IDENTITY";
    public const string Current = "CURRENT";
    public const string TemporarySuffix = ".tmp";
    public const string SegmentSuffix = ".wal";
    public const string TableSuffix = ".vtab";
    public const string ManifestSuffix = ".vman";

    /// <summary>Directories in which an install gathers what it verifies; swept at open.</summary>
    public const string StagingPrefix = "staging-";

    public static string Segment(ulong number) => Numbered(number, SegmentSuffix);

    public static string Table(ulong number) => Numbered(number, TableSuffix);

    public static string Manifest(ulong number) => Numbered(number, ManifestSuffix);

    public static string Staging(ulong number) => string.Create(CultureInfo.InvariantCulture, $"{StagingPrefix}{number:D12}");

    /// <summary>The number of a file with this suffix; false for any other name.</summary>
    public static bool TryParse(string name, string suffix, out ulong number)
    {
        number = 0;
        if (!name.EndsWith(suffix, StringComparison.Ordinal)) return false;
        var digits = name.AsSpan(0, name.Length - suffix.Length);
        return digits.Length >= 12 && ulong.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out number)
            && Numbered(number, suffix) == name;
    }

    private static string Numbered(ulong number, string suffix) => string.Create(CultureInfo.InvariantCulture, $"{number:D12}{suffix}");
}
