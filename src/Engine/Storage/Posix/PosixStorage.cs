using System.IO.Enumeration;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Varve.Storage;

/// <summary>The file system of Linux and macOS, called directly so that no failure is hidden.</summary>
internal sealed class PosixStorage : IStorage
{
    private const uint FileMode = 0b110_000_000;      // 0600
    private const uint ReadOnlyMode = 0b100_000_000;  // 0400
    private const uint DirectoryMode = 0b111_000_000; // 0700

    public void CreateDirectory(string path)
    {
        path = Path.TrimEndingDirectorySeparator(path);
        if (Libc.MakeDirectory(path, DirectoryMode) == 0) return;
        var error = Marshal.GetLastPInvokeError();
        if (error == Libc.EEXIST && DirectoryExists(path)) return;
        if (error == Libc.ENOENT && Path.GetDirectoryName(path) is { Length: > 0 } parent && !DirectoryExists(parent))
        {
            CreateDirectory(parent);
            CreateDirectory(path);
            return;
        }

        throw PosixError.Of(error, "mkdir", path);
    }

    public long? SpaceLeft(string directory) => Volume.SpaceLeft(directory);

    public bool DirectoryExists(string path) => Directory.Exists(path);

    public bool FileExists(string path) => File.Exists(path);

    public IReadOnlyList<string> List(string directory)
    {
        try
        {
            var names = new FileSystemEnumerable<string>(
                directory,
                static (ref entry) => entry.IsDirectory && (entry.Attributes & FileAttributes.ReparsePoint) == 0
                    ? entry.FileName.ToString() + '/' : entry.FileName.ToString(),
                new EnumerationOptions { AttributesToSkip = 0, IgnoreInaccessible = false });
            return [.. names.Order(StringComparer.Ordinal)]; // the file system's own order differs from run to run
        }
        catch (UnauthorizedAccessException e)
        {
            throw new IOException($"{directory}: opendir failed: {e.Message}", e);
        }
        catch (IOException e) when (PortableError.TryTranslate(e, directory, out var translated))
        {
            throw translated; // no descriptor is left
        }
    }

    public string ResolveLink(string path) => LinkTarget.Of(path);

    public void MakeReadOnly(string path)
    {
        using var handle = OpenHandle(path, Libc.O_RDONLY | Libc.O_NOFOLLOW);
        if (Libc.Chmod(handle, ReadOnlyMode) == 0) return;
        var error = Marshal.GetLastPInvokeError();
        if (error != Libc.EPERM && error != Libc.ENOTSUP) throw PosixError.Of(error, "fchmod", path);
    }

    public IStorageFile Open(string path, FileIntent intent) => OpenFile(path, intent);

    public IStorageFile? TryTakeOver(string path, string newPath)
    {
        using (var seen = OpenFile(path, FileIntent.Read))
        {
            if (seen.CountNames() == 1) _ = Libc.Chmod(seen.Handle, FileMode); // it may have been a snapshot's
        }

        var file = OpenFile(path, FileIntent.ReadWrite);
        try
        {
            if (file.CountNames() == 1 && Libc.Rename(path, newPath) == 0) return new PosixFile(newPath, file.Handle);
        }
        catch
        {
            file.Dispose();
            throw;
        }

        file.Dispose();
        return null;
    }

    private static PosixFile OpenFile(string path, FileIntent intent)
    {
        var flags = intent switch
        {
            FileIntent.Read => Libc.O_RDONLY,
            FileIntent.ReadWrite => Libc.O_RDWR,
            _ => Libc.O_RDWR | Libc.O_CREAT | Libc.O_EXCL,
        };
        // A snapshot comes from elsewhere, so a link or a pipe under one of our names may be an attack: the call
        // neither follows the link nor waits for the pipe.
        var handle = OpenHandle(path, flags | Libc.O_NOFOLLOW | Libc.O_NONBLOCK);
        if (Libc.Seek(handle, 0, Libc.SEEK_END) < 0)
        {
            var failure = PosixError.Last("lseek", path);
            handle.Dispose();
            throw failure;
        }

        return new PosixFile(path, handle);
    }

    public void SyncDirectory(string path)
    {
        using var handle = OpenDirectoryHandle(path);
        while (Libc.Sync(handle) != 0)
            if (!PosixError.LastWasInterrupted) throw PosixError.LastOfDirectory("fsync", path);
    }

    public bool TryLink(string existingPath, string newPath)
    {
        if (Libc.Link(existingPath, newPath) == 0) return true;
        var error = Marshal.GetLastPInvokeError();
        if (error is Libc.EXDEV or Libc.EPERM or Libc.EMLINK || error == Libc.ENOTSUP || error == Libc.EOPNOTSUPP
            || error == Libc.ENOSYS)
            return false;
        throw PosixError.Of(error, "link", error == Libc.EEXIST ? newPath : existingPath);
    }

    public void Rename(string from, string to)
    {
        if (Libc.Rename(from, to) != 0) throw PosixError.Last("rename", from);
    }

    public void Delete(string path)
    {
        if (Libc.Unlink(path) != 0 && Marshal.GetLastPInvokeError() != Libc.ENOENT)
            throw PosixError.Last("unlink", path);
    }

    public void DeleteDirectory(string path)
    {
        if (Libc.RemoveDirectory(path) != 0 && Marshal.GetLastPInvokeError() != Libc.ENOENT)
            throw PosixError.LastOfDirectory("rmdir", path);
    }

    /// <summary>
    /// Locks with <c>flock</c>: the lock belongs to the open file description, so a second open in this process
    /// conflicts as one in another process does, and the kernel drops the lock when the holder dies.
    /// </summary>
    public IDisposable? TryLock(string path) =>
        LockWithDirectory(OpenHandle(path, Libc.O_RDWR | Libc.O_CREAT | Libc.O_NOFOLLOW), path);

    public IDisposable? TryLockExisting(string path)
    {
        try
        {
            return LockWithDirectory(OpenHandle(path, Libc.O_RDWR | Libc.O_NOFOLLOW), path);
        }
        catch (FileNotFoundException)
        {
            return Lock(OpenDirectoryHandle(Path.GetDirectoryName(path)!), path);
        }
    }

    private static HeldLocks? LockWithDirectory(SafeFileHandle handle, string path)
    {
        if (Lock(handle, path) is not { } file) return null;
        try
        {
            if (Lock(OpenDirectoryHandle(Path.GetDirectoryName(path)!), path) is { } directory)
                return new HeldLocks(file, directory);
        }
        catch
        {
            file.Dispose();
            throw;
        }

        file.Dispose();
        return null;
    }

    public IDisposable? TryShare(string path) =>
        PosixShares.TryShare(OpenHandle(path, Libc.O_RDONLY | Libc.O_NOFOLLOW), path);

    public bool IsShared(string path)
    {
        using var handle = OpenHandle(path, Libc.O_RDONLY | Libc.O_NOFOLLOW);
        return PosixShares.IsShared(handle, path);
    }

    private static HeldLock? Lock(SafeFileHandle handle, string path)
    {
        while (Libc.Lock(handle, Libc.LOCK_EX | Libc.LOCK_NB) != 0)
        {
            if (PosixError.LastWasInterrupted) continue;
            var error = Marshal.GetLastPInvokeError();
            // A network file system locks only files opened for writing: the file's lock alone has to do.
            if (error == Libc.EBADF) break;
            handle.Dispose();
            return error == Libc.EAGAIN ? null : throw PosixError.Of(error, "flock", path);
        }

        return new HeldLock(handle);
    }

    /// <summary>The locks of a file and of its directory.</summary>
    private sealed class HeldLocks(HeldLock file, HeldLock directory) : IDisposable
    {
        public void Dispose()
        {
            directory.Dispose();
            file.Dispose();
        }
    }

    /// <summary>
    /// Unlocks before it closes: a process that is just starting has a copy of every descriptor until its exec closes
    /// it, and that copy alone would keep the lock.
    /// </summary>
    private sealed class HeldLock(SafeFileHandle handle) : IDisposable
    {
        public void Dispose()
        {
            if (handle.IsClosed) return;
            _ = Libc.Lock(handle, Libc.LOCK_UN);
            handle.Dispose();
        }
    }

    private static SafeFileHandle OpenHandle(string path, int flags)
    {
        int descriptor;
        while ((descriptor = Libc.Open(path, flags | Libc.O_CLOEXEC, FileMode)) < 0)
            if (!PosixError.LastWasInterrupted) throw PosixError.Last("open", path);
        var handle = new SafeFileHandle(descriptor, ownsHandle: true);
        if (OperatingSystem.IsMacOS() && (flags & Libc.O_CREAT) != 0 && Libc.Chmod(handle, FileMode) != 0)
        {
            var failure = PosixError.Last("fchmod", path);
            handle.Dispose();
            throw failure;
        }

        return handle;
    }

    private static SafeFileHandle OpenDirectoryHandle(string path)
    {
        int descriptor;
        while ((descriptor = Libc.Open(path, Libc.O_RDONLY | Libc.O_CLOEXEC, 0)) < 0)
            if (!PosixError.LastWasInterrupted) throw PosixError.LastOfDirectory("open", path);
        return new SafeFileHandle(descriptor, ownsHandle: true);
    }
}
