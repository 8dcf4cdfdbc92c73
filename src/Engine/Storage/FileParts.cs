namespace Varve.Storage;

/// <summary>
/// Shows ranges of one file as files of their own, each under the file's path and a name, so that a packed file can be
/// read in place. Reads only. The file stays open until disposal; mappings outlive it, as with any storage.
/// </summary>
internal sealed class FileParts(IStorage storage, string path) : IStorage, IDisposable
{
    private readonly IStorageFile _whole = storage.Open(path, FileIntent.Read);
    private readonly Dictionary<string, (long Offset, long Length)> _parts = [];

    /// <summary>Names a range inside the file and returns its path.</summary>
    public string Add(string name, long offset, long length)
    {
        var part = Path.Combine(path, name);
        _parts[part] = (offset, length);
        return part;
    }

    public bool DirectoryExists(string path) => false;

    public bool FileExists(string path) => _parts.ContainsKey(path);

    public IReadOnlyList<string> List(string directory) => [.. _parts.Keys.Select(part => Path.GetFileName(part))];

    public IStorageFile Open(string path, FileIntent intent)
    {
        if (intent != FileIntent.Read) throw ReadOnly();
        return _parts.TryGetValue(path, out var range)
            ? new Part(path, _whole, range.Offset, range.Length)
            : throw new FileNotFoundException(path);
    }

    public void CreateDirectory(string path) => throw ReadOnly();

    public void SyncDirectory(string path) => throw ReadOnly();

    public bool TryLink(string existingPath, string newPath) => throw ReadOnly();

    public void Rename(string from, string to) => throw ReadOnly();

    public void Delete(string path) => throw ReadOnly();

    public void DeleteDirectory(string path) => throw ReadOnly();

    public IDisposable? TryLock(string path) => throw ReadOnly();

    public void Dispose() => _whole.Dispose();

    private static NotSupportedException ReadOnly() => new("Parts of a file are read-only.");

    private sealed class Part(string path, IStorageFile whole, long offset, long length) : IStorageFile
    {
        public string Path => path;

        public long Length => length;

        public void Read(long at, Span<byte> destination)
        {
            if (at < 0 || at > length - destination.Length)
                throw new EndOfStreamException($"{path}: no {destination.Length} bytes at {at}");
            whole.Read(offset + at, destination);
        }

        public void Write(long at, ReadOnlySpan<byte> source) => throw ReadOnly();

        public void Allocate(long size) => throw ReadOnly();

        public void BeginRead(long at, long size) => whole.BeginRead(offset + at, size);

        public void Sync() => throw ReadOnly();

        public IMapping Map(long size, MappingAccess access)
        {
            if (!access.IsReadOnly()) throw ReadOnly();
            return size <= length
                ? new PartMapping(whole.Map(offset + size, access), offset)
                : throw new EndOfStreamException($"{path}: no {size} bytes to map");
        }

        public void Dispose()
        {
            // The storage owns the whole file.
        }
    }

    /// <summary>
    /// A mapping of the file from its beginning, of which the bytes before the part are not shown: a part need not
    /// begin at a page.
    /// </summary>
    private sealed class PartMapping(IMapping whole, long offset) : IMapping
    {
        // SAFETY: the whole mapping reaches to the part's end, so its offset is inside.
        public unsafe byte* Address => whole.Address + offset;

        public long Length => whole.Length - offset;

        public void Dirtied(long at, long length) => throw ReadOnly();

        public void Sync(long at, long length) => throw ReadOnly();

        public void Populate(long at, long length) => whole.Populate(offset + at, length);

        public bool IsResident(long at, long length) => whole.IsResident(offset + at, length);

        public void Dispose() => whole.Dispose();
    }
}
