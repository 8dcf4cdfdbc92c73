namespace Varve.Storage;

/// <summary>
/// Files are little endian, and what is mapped is read in place: log records, memtables and tables alike. So the
/// processor has to be little endian, which is asked once, before a file is touched.
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
