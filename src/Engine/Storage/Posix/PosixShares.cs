using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Varve.Storage;

/// <summary>
/// Shares of a file: read locks of the open file description (<c>F_OFD_SETLK</c>). <c>F_OFD_GETLK</c> finds their
/// holders without a lock. They conflict within a process as between two processes, and the kernel drops them when the
/// holder dies. Other systems than Linux have none.
/// </summary>
internal static class PosixShares
{
    private static bool AreKnown => OperatingSystem.IsLinux() && nint.Size == sizeof(long);

    /// <summary>
    /// Takes a share of an open file, which it then owns. Null if another program's lock conflicts.
    /// </summary>
    public static IDisposable? TryShare(SafeFileHandle handle, string path)
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
    /// True if there is a share through another descriptor than this one, or if the system cannot tell.
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

    /// <summary>
    /// Locks, unlocks or queries the whole file. Returns errno, or 0 with the lock type of the answer.
    /// </summary>
    // SAFETY: the structure is a local, which lives during the call.
    private static unsafe int Control(SafeFileHandle handle, int command, short type, out short answer)
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
    /// Unlocks before it closes, as a lock does: a process that is just starting has a copy of the descriptor.
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
