namespace Varve.Format;

/// <summary>
/// The rule by which files change: each has a format version and a word of feature bits, both covered by its first
/// checksum. The version says how the file is laid out. A feature bit says that the file uses something that an older
/// build does not know; a reader that meets a bit it does not know refuses the file, for it cannot tell what it would
/// miss.
/// </summary>
internal static class FormatFeatures
{
    /// <summary>The bits that this build reads. None is in use yet.</summary>
    public const uint Known = 0;

    /// <summary>Checks version and feature bits of bytes whose checksum holds.</summary>
    /// <param name="file">What kind of file it is, for the message.</param>
    /// <param name="version">The file's version, and where it stands.</param>
    /// <param name="versionKnown">The version that this build reads.</param>
    /// <param name="features">The file's feature bits, and where they stand.</param>
    /// <param name="error">What this build does not know.</param>
    public static bool AreKnown(
        string file, (uint Value, long Offset) version, uint versionKnown, (uint Value, long Offset) features,
        out DecodeError error)
    {
        error = default;
        if (version.Value != versionKnown)
            error = DecodeError.Unsupported(
                version.Offset, $"{file} of version {version.Value} (this build reads {versionKnown})");
        else if ((features.Value & ~Known) != 0)
            error = DecodeError.Unsupported(
                features.Offset, $"{file} with the feature bits 0x{features.Value & ~Known:x8}");
        return !error.IsFault;
    }
}
