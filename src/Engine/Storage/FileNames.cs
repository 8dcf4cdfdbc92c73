using System.Globalization;
using Varve.Format;

namespace Varve.Storage;

/// <summary>
/// The names of files in a database directory. Other files are not the engine's and stay untouched.
/// </summary>
internal static class FileNames
{
    public const string Lock = "LOCK";
    public const string Identity = "IDENTITY";
    public const string Current = "CURRENT";
    public const string TemporarySuffix = ".tmp";
    public const string SegmentSuffix = ".wal";
    public const string TableSuffix = ".vtab";
    public const string ManifestSuffix = ".vman";

    /// <summary>The prefix of an install's staging directory; an open sweeps these.</summary>
    public const string StagingPrefix = "staging-";

    public static string Segment(ulong number) => Numbered(number, SegmentSuffix);

    public static string Table(ulong number) => Numbered(number, TableSuffix);

    public static string Manifest(ulong number) => Numbered(number, ManifestSuffix);

    public static string Staging(ulong number) =>
        string.Create(CultureInfo.InvariantCulture, $"{StagingPrefix}{number:D12}");

    /// <summary>
    /// Parses the number of a file with this suffix. False for any other name, and for a number beyond the limit.
    /// </summary>
    public static bool TryParse(string name, string suffix, out ulong number)
    {
        number = 0;
        if (!name.EndsWith(suffix, StringComparison.Ordinal)) return false;
        var digits = name.AsSpan(0, name.Length - suffix.Length);
        return digits.Length >= 12
            && ulong.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out number)
            && number < VersionEdit.FileNumberLimit
            && Numbered(number, suffix) == name;
    }

    /// <summary>True for the temporary name of one of the engine's files.</summary>
    public static bool IsTemporary(string name)
    {
        if (!name.EndsWith(TemporarySuffix, StringComparison.Ordinal)) return false;
        var bare = name[..^TemporarySuffix.Length];
        return bare is Identity or Current || IsTemporary(bare)
            || TryParse(bare, SegmentSuffix, out _) || TryParse(bare, TableSuffix, out _)
            || TryParse(bare, ManifestSuffix, out _);
    }

    /// <summary>True for the staging directory of an install, as a listing names it.</summary>
    public static bool IsStaging(string name) =>
        name.StartsWith(StagingPrefix, StringComparison.Ordinal) && name.EndsWith('/')
        && ulong.TryParse(
            name.AsSpan(StagingPrefix.Length, name.Length - StagingPrefix.Length - 1), NumberStyles.None,
            CultureInfo.InvariantCulture, out var number)
        && Staging(number) + "/" == name;

    private static string Numbered(ulong number, string suffix) =>
        string.Create(CultureInfo.InvariantCulture, $"{number:D12}{suffix}");
}
