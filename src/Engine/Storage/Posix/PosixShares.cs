using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Varve.Storage;

/// <summary>
/// Shares of a file: read locks of the open file description (<c>F_OFD_SETLK</c>), whose holders <c>F_OFD_GETLK</c>
/// finds without taking a lock. They conflict within a process as between two, and the kernel drops them when the
/// holder dies. Other systems have none.
/// </summary>
internal static unsafe class PosixShares
{
    private static bool AreKnown => OperatingSystem.IsLinux() && nint.Size == sizeof(long);

    /// <summary>
    /// Takes a share of an open file, and the file with it. Null where another program's lock is in the way.
    /// </summary>
    public static IDisposable? TryTake(SafeFileHandle handle, string path)
    {
        if (!AreKnown)
        {
            handle.Dispose();
            return new AssumedShare();
        }

        var error = Control(handle, Libc.F_OFD_SETLK, Libc.F_RDLCK, out _);
        if (error == 0) return new HeldShare(handle);
        handle.Dispose();
        if (IsUnsupported(error)) return new AssumedShare();
        return error is Libc.EACCES || error == Libc.EAGAIN ? null : throw PosixError.Of(error, "fcntl", path);
    }

    /// <summary>
    /// Whether anybody has a share, through another descriptor than this one; true where that cannot be told.
    /// </summary>
    public static bool IsShared(SafeFileHandle handle, string path)
    {
        if (!AreKnown) return true;
        var error = Control(handle, Libc.F_OFD_GETLK, Libc.F_WRLCK, out var found);
        if (error != 0 && !IsUnsupported(error)) throw PosixError.Of(error, "fcntl", path);
        return error != 0 || found != Libc.F_UNLCK;
    }

    private static bool IsUnsupported(int error) =>
        error == Libc.EINVAL || error == Libc.ENOSYS || error == Libc.EOPNOTSUPP;

    /// <summary>Locks, unlocks or asks of the whole file; gives errno, or 0 and the type that was answered.</summary>
    private static int Control(SafeFileHandle handle, int command, short type, out short answer)
    {
        var range = new Libc.FileLock { Type = type };
        while (Libc.ControlLock(handle, command, &range) != 0)
        {
            if (PosixError.LastWasInterrupted) continue;
            answer = type;
            return Marshal.GetLastPInvokeError();
        }

        answer = range.Type;
        return 0;
    }

    /// <summary>
    /// Unlocks before it closes, as a lock does: a process that is being started has a copy of the descriptor.
    /// </summary>
    private sealed class HeldShare(SafeFileHandle handle) : IDisposable
    {
        public void Dispose()
        {
            if (handle.IsClosed) return;
            _ = Control(handle, Libc.F_OFD_SETLK, Libc.F_UNLCK, out _);
            handle.Dispose();
        }
    }
}
