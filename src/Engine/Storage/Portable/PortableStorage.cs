using System.IO.Enumeration;
using Microsoft.Win32.SafeHandles;

namespace Varve.Storage;

/// <summary>
/// The file system through managed calls alone, for Windows and other systems without POSIX. It has no hard links and
/// syncs no directories (NTFS journals names itself).
/// </summary>
internal sealed class PortableStorage : IStorage
{
    public void CreateDirectory(string path)
    {
        try
        {
            if (OperatingSystem.IsWindows()) Directory.CreateDirectory(path);
            else
                Directory.CreateDirectory(
                    path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
        catch (Exception e) when (PortableError.TryTranslate(e, path, out var translated))
        {
            throw translated;
        }
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
                // A link to a directory is no directory: nothing deletes what is behind it.
                static (ref entry) => entry.IsDirectory && (entry.Attributes & FileAttributes.ReparsePoint) == 0
                    ? entry.FileName.ToString() + '/' : entry.FileName.ToString(),
                new EnumerationOptions { AttributesToSkip = 0, IgnoreInaccessible = false });
            return [.. names.Order(StringComparer.Ordinal)];
        }
        catch (Exception e) when (PortableError.TryTranslate(e, directory, out var translated))
        {
            throw translated;
        }
    }

    public string ResolveLink(string path) => LinkTarget.Of(path);

    public void MakeReadOnly(string path)
    {
        // Windows deletes no read-only file.
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(path, UnixFileMode.UserRead);
    }

    public IStorageFile Open(string path, FileIntent intent)
    {
        try
        {
            // The managed calls follow links. A link that is made after this question is followed.
            if (new FileInfo(path).LinkTarget is not null)
                throw new NotAPlainFileException($"{path}: open failed: a link, not a plain file", error: 0);
            return new PortableFile(path, OpenHandle(path, intent));
        }
        catch (Exception e) when (PortableError.TryTranslate(e, path, out var translated))
        {
            throw translated;
        }
    }

    public void SyncDirectory(string path)
    {
        if (!Directory.Exists(path)) throw new DirectoryNotFoundException($"{path}: no such directory");
    }

    public bool TryLink(string existingPath, string newPath) => false;

    public void Rename(string from, string to)
    {
        try
        {
            // The managed calls have no other rename. They never copy across volumes here: both names are in one
            // directory tree of ours.
#pragma warning disable RS0030
            if (Directory.Exists(from)) Directory.Move(from, to);
            else File.Move(from, to, overwrite: true);
#pragma warning restore RS0030
        }
        catch (Exception e) when (PortableError.TryTranslate(e, from, out var translated))
        {
            throw translated;
        }
    }

    public void Delete(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (DirectoryNotFoundException)
        {
        }
        catch (Exception e) when (PortableError.TryTranslate(e, path, out var translated))
        {
            throw translated;
        }
    }

    public void DeleteDirectory(string path)
    {
        try
        {
            Directory.Delete(path);
        }
        catch (DirectoryNotFoundException)
        {
        }
        catch (Exception e) when (PortableError.TryTranslate(e, path, out var translated))
        {
            throw translated;
        }
    }

    public IDisposable? TryLock(string path)
    {
        try
        {
            return Private(File.OpenHandle(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None));
        }
        catch (IOException e) when (PortableError.IsSharingViolation(e))
        {
            return null;
        }
        catch (Exception e) when (PortableError.TryTranslate(e, path, out var translated))
        {
            throw translated;
        }
    }

    private static SafeFileHandle OpenHandle(string path, FileIntent intent)
    {
        const FileShare share = FileShare.ReadWrite | FileShare.Delete;
        if (intent == FileIntent.Read) return File.OpenHandle(path, FileMode.Open, FileAccess.Read, share);
        if (intent == FileIntent.ReadWrite) return File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, share);
        return Private(File.OpenHandle(path, FileMode.CreateNew, FileAccess.ReadWrite, share));
    }

    private static SafeFileHandle Private(SafeFileHandle handle)
    {
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(handle, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        return handle;
    }
}
