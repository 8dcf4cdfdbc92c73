using System.Diagnostics.CodeAnalysis;

namespace Varve.Storage;

/// <summary>Translates exceptions of managed file calls into those that <see cref="IStorage"/> promises.</summary>
internal static class PortableError
{
    private const int WindowsTooManyOpenFiles = unchecked((int)0x80070004);
    private const int WindowsSharingViolation = unchecked((int)0x80070020);
    private const int WindowsHandleDiskFull = unchecked((int)0x80070027);
    private const int WindowsDiskFull = unchecked((int)0x80070070);

    /// <summary>False if the exception is right as it is.</summary>
    public static bool TryTranslate(Exception exception, string path, [NotNullWhen(true)] out IOException? translated)
    {
        translated = exception switch
        {
            VarveException => null,
            IOException e when IsDiskFull(e) => new StorageFullException(path, e),
            IOException e when IsOutOfDescriptors(e) => new TooManyOpenFilesException(path, e),
            UnauthorizedAccessException => new IOException($"{path}: access denied: {exception.Message}", exception),
            NotSupportedException => new IOException($"{path}: {exception.Message}", exception),
            _ => null,
        };
        return translated is not null;
    }

    // Outside Windows HResult is the errno.
    public static bool IsSharingViolation(IOException e) =>
        OperatingSystem.IsWindows() ? e.HResult == WindowsSharingViolation : e.HResult == Libc.EAGAIN;

    private static bool IsOutOfDescriptors(IOException e) =>
        OperatingSystem.IsWindows() ? e.HResult == WindowsTooManyOpenFiles : e.HResult is Libc.EMFILE or Libc.ENFILE;

    private static bool IsDiskFull(IOException e) =>
        OperatingSystem.IsWindows() ? e.HResult is WindowsDiskFull or WindowsHandleDiskFull
            : e.HResult == Libc.ENOSPC || e.HResult == Libc.EDQUOT;
}
