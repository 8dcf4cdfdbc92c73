using System.Runtime.InteropServices;

namespace Varve.Storage;

/// <summary>
/// Translates an errno into the exception that <see cref="IStorage"/> promises: an <see cref="IOException"/> that names
/// path, call and reason.
/// </summary>
internal static class PosixError
{
    /// <summary>The failure of the last call on this thread.</summary>
    public static IOException Last(string call, string path) => Of(Marshal.GetLastPInvokeError(), call, path);

    /// <summary>The failure of the last call on this thread, for the path of a directory.</summary>
    public static IOException LastOfDirectory(string call, string path)
    {
        var error = Marshal.GetLastPInvokeError();
        return error == Libc.ENOENT ? new DirectoryNotFoundException(Text(error, call, path)) : Of(error, call, path);
    }

    /// <summary>The failure of the last call on this thread, a mapping.</summary>
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

    /// <summary>True if a signal interrupted the last call on this thread.</summary>
    public static bool LastWasInterrupted => Marshal.GetLastPInvokeError() == Libc.EINTR;

    private static string Text(int error, string call, string path) =>
        $"{path}: {call} failed: {Marshal.GetPInvokeErrorMessage(error)} (errno {error})";
}
