using System.Runtime.InteropServices;

namespace Varve.Storage;

/// <summary>
/// Turns an errno into the exception that the seam promises: always an <see cref="IOException"/>, naming path, call and
/// reason.
/// </summary>
internal static class PosixError
{
    /// <summary>The failure of the last call on this thread.</summary>
    public static IOException Last(string call, string path) => Of(Marshal.GetLastPInvokeError(), call, path);

    /// <summary>The failure of the last call on this thread, where the path is a directory's.</summary>
    public static IOException LastOfDirectory(string call, string path)
    {
        var error = Marshal.GetLastPInvokeError();
        return error == Libc.ENOENT ? new DirectoryNotFoundException(Text(error, call, path)) : Of(error, call, path);
    }

    /// <summary>The failure of a mapping by the last call on this thread.</summary>
    public static IOException LastOfMapping(string path)
    {
        var error = Marshal.GetLastPInvokeError();
        return error == Libc.ENOMEM
            ? new TooManyMappingsException(path, new IOException(Text(error, "mmap", path), error))
            : Of(error, "mmap", path);
    }

    public static IOException Of(int error, string call, string path)
    {
        var text = Text(error, call, path);
        if (error == Libc.ENOSPC || error == Libc.EDQUOT)
            return new StorageFullException(path, new IOException(text, error));
        if (error is Libc.EMFILE or Libc.ENFILE)
            return new TooManyOpenFilesException(path, new IOException(text, error));
        if (error == Libc.ENOENT) return new FileNotFoundException(text, path);
        return error is Libc.ENXIO or Libc.EISDIR or Libc.ESPIPE || error == Libc.ELOOP
            ? new NotAPlainFileException(text, error)
            : new IOException(text, error);
    }

    /// <summary>Whether the last call on this thread was only interrupted by a signal.</summary>
    public static bool LastWasInterrupted => Marshal.GetLastPInvokeError() == Libc.EINTR;

    private static string Text(int error, string call, string path) =>
        $"{path}: {call} failed: {Marshal.GetPInvokeErrorMessage(error)} (errno {error})";
}
