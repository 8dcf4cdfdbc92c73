using Varve.Storage;

namespace Varve.Tests.Schedules.Scenarios;

/// <summary>
/// A file system in memory, without a single point where threads may switch. A mapping is a copy; one that is disposed
/// is cleared, and its memory stays until the schedule is over.
/// </summary>
internal sealed unsafe class MemoryFiles : IStorage
{
    private readonly Dictionary<string, byte[]> _files = new(StringComparer.Ordinal);
    private readonly SortedSet<string> _directories = new(StringComparer.Ordinal);

    /// <summary>Mappings that are still open.</summary>
    public int LiveMappings { get; private set; }

    public void CreateDirectory(string path) => _directories.Add(path);

    public bool DirectoryExists(string path) => path == "/" || _directories.Contains(path);

    public bool FileExists(string path) => _files.ContainsKey(path);

    public IReadOnlyList<string> List(string directory) =>
        [.. NamesIn(directory, _files.Keys), .. NamesIn(directory, _directories).Select(name => name + "/")];

    public IStorageFile Open(string path, FileIntent intent)
    {
        if (intent == FileIntent.CreateNew) _files.Add(path, []);
        return _files.ContainsKey(path) ? new MemoryFile(this, path) : throw new FileNotFoundException(path);
    }

    public void SyncDirectory(string path)
    {
    }

    public bool TryLink(string existingPath, string newPath) => _files.TryAdd(newPath, _files[existingPath]);

    public void Rename(string from, string to)
    {
        if (_directories.Remove(from))
        {
            _directories.Add(to);
            foreach (var name in NamesIn(from, _files.Keys).ToArray())
                Rename(Path.Combine(from, name), Path.Combine(to, name));
            return;
        }

        _files[to] = _files[from];
        _files.Remove(from);
    }

    public void Delete(string path) => _files.Remove(path);

    public void DeleteDirectory(string path) => _directories.Remove(path);

    public IDisposable TryLock(string path) => new MemoryStream();

    public bool IsShared(string path) => false;

    private static IEnumerable<string> NamesIn(string directory, IEnumerable<string> paths) =>
        paths.Where(path => Path.GetDirectoryName(path) == directory).Select(path => Path.GetFileName(path));

    private sealed class MemoryFile(MemoryFiles files, string path) : IStorageFile
    {
        private byte[] _bytes = files._files[path];
        private int _length = files._files[path].Length;

        public string Path => path;

        public long Length => _length;

        public void Read(long offset, Span<byte> destination)
        {
            if (offset + destination.Length > _length) throw new EndOfStreamException();
            _bytes.AsSpan((int)offset, destination.Length).CopyTo(destination);
        }

        public void Write(long offset, ReadOnlySpan<byte> source)
        {
            Allocate(offset + source.Length);
            source.CopyTo(_bytes.AsSpan((int)offset));
        }

        public void Allocate(long length)
        {
            if (length <= _length) return;
            if (length > _bytes.Length) Array.Resize(ref _bytes, (int)Math.Max(length, _bytes.Length * 2L));
            _length = (int)length;
        }

        public void Sync() => Keep();

        public IMapping Map(long length, MappingAccess access) =>
            new MemoryMapping(files, _bytes.AsSpan(0, (int)length));

        public void Dispose() => Keep();

        private void Keep()
        {
            if (files._files.ContainsKey(path))
                files._files[path] = _bytes.Length == _length ? _bytes : _bytes[.._length];
        }
    }

    private sealed class MemoryMapping : IMapping
    {
        private readonly MemoryFiles _files;
        private bool _isDisposed;

        public MemoryMapping(MemoryFiles files, ReadOnlySpan<byte> bytes)
        {
            _files = files;
            _files.LiveMappings++;
            Address = (byte*)NativeMemory.Alloc((nuint)bytes.Length);
            Length = bytes.Length;
            bytes.CopyTo(new Span<byte>(Address, bytes.Length));
        }

        public byte* Address { get; }

        public long Length { get; }

        public void Dirtied(long offset, long length)
        {
        }

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
            _files.LiveMappings--;
            NativeMemory.Free(Address);
        }
    }
}
