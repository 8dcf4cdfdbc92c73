namespace Varve.Storage;

/// <summary>
/// Refuses big-endian processors before a file is touched: files are little endian, and mapped records and tables are
/// read in place.
/// </summary>
internal static class ByteOrder
{
    /// <exception cref="PlatformNotSupportedException">The processor is big endian.</exception>
    public static void EnsureSupported() => EnsureSupported(BitConverter.IsLittleEndian);

    public static void EnsureSupported(bool isLittleEndian)
    {
        if (!isLittleEndian)
            throw new PlatformNotSupportedException(
                "Varve reads mapped files in place, which takes a little-endian processor; this one is big endian.");
    }
}
