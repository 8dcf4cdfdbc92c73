using Varve.Storage;

namespace Varve.Tests.Tables;

/// <summary>
/// Files in native memory. A mapping is a copy that ends at a page that cannot be touched, so a read past a file's end
/// kills the test run.
/// </summary>
internal sealed unsafe class MemoryStorage : IStorage
{
    private readonly Dictionary<string, byte[]> _files = [];

    public byte[] this[string path]
    {
        get => _files[path];
        set => _files[path] = value;
    }

    public int LiveMappings { get; private set; }

    /// <summary>
    /// Mappings of up to 64 KiB are the thread's and used again, where there are too many for the kernel; what reads
    /// one that was disposed of is then not seen.
    /// </summary>
    public bool ReusesMappings { get; init; }

    public void CreateDirectory(string path) { }

    public bool DirectoryExists(string path) => true;

    public bool FileExists(string path) => _files.ContainsKey(path);

    public IReadOnlyList<string> List(string directory) => [.. _files.Keys];

    public IStorageFile Open(string path, FileIntent intent)
    {
        if (intent == FileIntent.CreateNew) _files.Add(path, []);
        return _files.ContainsKey(path) ? new MemoryFile(this, path) : throw new FileNotFoundException(path);
    }

    public void SyncDirectory(string path) { }

    public bool TryLink(string existingPath, string newPath) => _files.TryAdd(newPath, _files[existingPath]);

    public void Rename(string from, string to)
    {
        _files[to] = _files[from];
        _files.Remove(from);
    }

    public void Delete(string path) => _files.Remove(path);

    public void DeleteDirectory(string path) { }

    public IDisposable? TryLock(string path) => null;

    private sealed class MemoryFile(MemoryStorage storage, string path) : IStorageFile
    {
        private MemoryStream? _written;

        public string Path => path;

        public long Length => Bytes.Length;

        private ReadOnlySpan<byte> Bytes =>
            _written is null ? storage._files[path] : _written.GetBuffer().AsSpan(0, (int)_written.Length);

        public void Read(long offset, Span<byte> destination)
        {
            if (offset + destination.Length > Bytes.Length) throw new EndOfStreamException();
            Bytes.Slice((int)offset, destination.Length).CopyTo(destination);
        }

        public void Write(long offset, ReadOnlySpan<byte> source)
        {
            _written ??= new MemoryStream();
            _written.Position = offset;
            _written.Write(source);
        }

        public void Allocate(long length) { }

        public void Sync() { }

        public IMapping Map(long length, MappingAccess access)
        {
            storage.LiveMappings++;
            return new GuardedMapping(storage, Bytes[..(int)length]);
        }

        public void Dispose()
        {
            if (_written is not null) storage._files[path] = _written.ToArray();
        }
    }

    private sealed class GuardedMapping : IMapping
    {
        private const int Page = 4096;
        private const int SpareSize = (64 << 10) + Page;

        [ThreadStatic]
        private static Stack<nint>? _spares;

        private readonly MemoryStorage _storage;
        private readonly nint _begin;
        private readonly nuint _size;

        public GuardedMapping(MemoryStorage storage, ReadOnlySpan<byte> bytes)
        {
            _storage = storage;
            _size = (nuint)((bytes.Length + Page - 1) / Page + 1) * Page;
            if (storage.ReusesMappings && _size <= SpareSize) _size = SpareSize;
            if (!IsSpare || !(_spares ??= []).TryPop(out _begin))
            {
                _begin = AnonymousMemory.Map(_size);
                AnonymousMemory.Protect(_begin + (nint)_size - Page, Page, AnonymousMemory.NoAccess);
            }
            Address = (byte*)_begin + _size - Page - (nuint)bytes.Length;
            Length = bytes.Length;
            bytes.CopyTo(new Span<byte>(Address, bytes.Length));
        }

        public byte* Address { get; }

        public long Length { get; }

        public void Dirtied(long offset, long length) { }

        public void Sync(long offset, long length) { }

        public void Populate(long offset, long length) { }

        public bool IsResident(long offset, long length) => true;

        private bool IsSpare => _storage.ReusesMappings && _size == SpareSize;

        public void Dispose()
        {
            if (IsSpare)
                (_spares ??= []).Push(_begin);
            else
                AnonymousMemory.Unmap(_begin, _size);
            _storage.LiveMappings--;
        }
    }
}
