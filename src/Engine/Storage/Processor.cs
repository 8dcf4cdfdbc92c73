namespace Varve.Storage;

/// <summary>
/// The needs of an engine in its process: files are little endian, mapped records and tables are read in place, and all
/// of them are mapped at once, which takes more addresses than 32 bits give. Checked before a file is touched.
/// </summary>
/// <param name="IsLittleEndian">The order of a number's bytes.</param>
/// <param name="AddressBits">The width of an address.</param>
internal sealed record Processor(bool IsLittleEndian, int AddressBits)
{
    private const int AddressBitsNeeded = 64;

    /// <summary>The processor of this process.</summary>
    public static Processor Own { get; } = new(BitConverter.IsLittleEndian, nint.Size * 8);

    /// <exception cref="PlatformNotSupportedException">The processor is big endian, or the process is of 32
    /// bits.</exception>
    public void EnsureSupported()
    {
        if (!IsLittleEndian)
            throw new PlatformNotSupportedException(
                "Varve reads mapped files in place, which takes a little-endian processor; this one is big endian.");
        if (AddressBits < AddressBitsNeeded)
            throw new PlatformNotSupportedException(
                $"Varve maps its files, which takes a 64-bit process; this one has {AddressBits} bits.");
    }
}
