using Varve.Storage;
using Varve.Tests.Schedules.Control;

namespace Varve.Tests.Schedules.Scenarios;

/// <summary>
/// A file system in memory that several engines share, as processes share a disk: every mapping of a file shows the
/// same bytes, a file lives on without a name while it is mapped, and there are locks and shares. Whatever another
/// engine can see or change is one step, and a point where threads may switch.
/// </summary>
internal sealed unsafe class SharedFiles : IStorage, IDisposable
{
    private readonly Dictionary<string, Content> _files = new(StringComparer.Ordinal);
    private readonly SortedSet<string> _directories = new(StringComparer.Ordinal);
    private readonly HashSet<string> _locked = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> _shares = new(StringComparer.Ordinal);
    private readonly List<nint> _blocks = [];

    /// <summary>Mappings that are still open.</summary>
    public int LiveMappings { get; private set; }

    /// <summary>Locks and shares that are held.</summary>
    public int LiveClaims => _locked.Count + _shares.Values.Sum();

    public void CreateDirectory(string path) => _directories.Add(path);

    public bool DirectoryExists(string path) => path == "/" || _directories.Contains(path);

    public bool FileExists(string path)
    {
        Point("exists ", path);
        return _files.ContainsKey(path);
    }

    public IReadOnlyList<string> List(string directory)
    {
        Point("list ", directory);
        return
        [
            .. _files.Keys.Where(path => Path.GetDirectoryName(path) == directory)
                .Select(path => Path.GetFileName(path))
                .Concat(_directories.Where(path => Path.GetDirectoryName(path) == directory).Select(
                    path => Path.GetFileName(path) + "/"))
                .Order(StringComparer.Ordinal),
        ];
    }

    public IStorageFile Open(string path, FileIntent intent)
    {
        Point("open ", path);
        if (intent == FileIntent.CreateNew) _files.Add(path, new Content());
        return _files.TryGetValue(path, out var content)
            ? new SharedFile(this, path, content)
            : throw new FileNotFoundException(path);
    }

    public void SyncDirectory(string path)
    {
    }

    public bool TryLink(string existingPath, string newPath)
    {
        Point("link ", newPath);
        var content = _files[existingPath];
        content.Names++;
        return _files.TryAdd(newPath, content);
    }

    public void Rename(string from, string to)
    {
        Point("rename ", from);
        _files.Remove(from, out var content);
        _files[to] = content ?? throw new FileNotFoundException(from);
    }

    public void Delete(string path)
    {
        Point("delete ", path);
        if (_files.Remove(path, out var content)) content.Names--;
    }

    public void DeleteDirectory(string path) => _directories.Remove(path);

    public IDisposable? TryLock(string path)
    {
        Point("lock ", path);
        return _locked.Add(path) ? new Claim(() => _locked.Remove(path)) : null;
    }

    public IDisposable TryShare(string path)
    {
        Point("share ", path);
        _shares[path] = _shares.GetValueOrDefault(path) + 1;
        return new Claim(() =>
        {
            Point("end of a share of ", path);
            _shares[path]--;
        });
    }

    public bool IsShared(string path)
    {
        Point("look for shares of ", path);
        return _shares.GetValueOrDefault(path) > 0;
    }

    public IStorageFile? TryTakeOver(string path, string newPath)
    {
        Point("take over ", path);
        if (_files[path].Names > 1) return null;
        _files.Remove(path, out var content);
        _files[newPath] = content!;
        return new SharedFile(this, newPath, content!);
    }

    public void Dispose()
    {
        foreach (var block in _blocks) NativeMemory.Free((void*)block);
    }

    private static void Point(string what, string path) => Controlled.Current?.SharedPoint(what, path);

    private sealed class Claim(Action end) : IDisposable
    {
        private Action? _end = end;

        public void Dispose()
        {
            _end?.Invoke();
            _end = null;
        }
    }

    /// <summary>
    /// A file, whatever its names. Its bytes move only when it outgrows them, and mappings keep the old ones.
    /// </summary>
    private sealed class Content
    {
        public byte* Bytes { get; set; }

        public long Capacity { get; set; }

        public long Length { get; set; }

        public int Names { get; set; } = 1;
    }

    private sealed class SharedFile(SharedFiles files, string path, Content content) : IStorageFile
    {
        public string Path => path;

        public long Length => content.Length;

        public void Read(long offset, Span<byte> destination)
        {
            Point("read ", path);
            if (offset + destination.Length > content.Length) throw new EndOfStreamException(path);
            new Span<byte>(content.Bytes + offset, destination.Length).CopyTo(destination);
        }

        public void Write(long offset, ReadOnlySpan<byte> source)
        {
            Point("write ", path);
            Grow(offset + source.Length);
            source.CopyTo(new Span<byte>(content.Bytes + offset, source.Length));
        }

        public void Allocate(long length) => Grow(length);

        public void Truncate(long length) => content.Length = length;

        public void Sync()
        {
        }

        public IMapping Map(long length, MappingAccess access)
        {
            files.LiveMappings++;
            return new SharedMapping(files, path, content.Bytes, length);
        }

        public void Dispose()
        {
        }

        private void Grow(long length)
        {
            if (length > content.Capacity)
            {
                var capacity = Math.Max(length, Math.Max(512, content.Capacity * 2));
                var bytes = (byte*)NativeMemory.AllocZeroed((nuint)capacity);
                files._blocks.Add((nint)bytes);
                if (content.Length > 0)
                    new Span<byte>(content.Bytes, (int)content.Length).CopyTo(new Span<byte>(bytes, (int)capacity));
                content.Bytes = bytes;
                content.Capacity = capacity;
            }

            content.Length = Math.Max(length, content.Length);
        }
    }

    private sealed class SharedMapping(SharedFiles files, string path, byte* address, long length) : IMapping
    {
        private bool _isDisposed;

        public byte* Address => address;

        public long Length => length;

        /// <summary>Stores are visible from here on.</summary>
        public void Dirtied(long offset, long length) => Point("store to ", path);

        public void Sync(long offset, long length)
        {
        }

        public void Populate(long offset, long length)
        {
        }

        public bool IsResident(long offset, long length) => true;

        public void Dispose()
        {
            if (_isDisposed) return;
            _isDisposed = true;
            files.LiveMappings--;
        }
    }
}
