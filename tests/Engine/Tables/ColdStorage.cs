using Varve.Storage;

namespace Varve.Tests.Tables;

/// <summary>The requests that a <see cref="ColdStorage"/> received for a table's file.</summary>
internal readonly record struct ColdCall(bool IsRead, long Offset, long Length)
{
    public long End => Offset + Length;
}

/// <summary>
/// Another storage, but the pages of a table's mapping cannot be touched until the file was read there: what would be a
/// fault that waits for a disk ends the test run. What is populated stays; the rest can be made cold again. Writes down
/// how tables are read. Linux.
/// </summary>
internal sealed unsafe class ColdStorage(IStorage inner) : StorageLayer(inner)
{
    private const int Page = 4096;

    private readonly Lock _gate = new();
    private readonly List<ColdMapping> _mappings = [];
    private readonly List<ColdCall> _calls = new(4096);

    /// <summary>Reads and announcements of reads of tables since <see cref="Forget"/>, in order.</summary>
    public IReadOnlyList<ColdCall> Calls => _calls;

    public int LiveFiles { get; private set; }

    public int LiveMappings => _mappings.Count;

    /// <summary>Reads of tables end in an error.</summary>
    public bool IsBroken { get; set; }

    public void Forget() => _calls.Clear();

    /// <summary>Makes all pages cold except populated ones. Not while another thread is in a call.</summary>
    public void Evict()
    {
        lock (_gate)
            foreach (var mapping in _mappings)
                mapping.Evict();
    }

    public override IStorageFile Open(string path, FileIntent intent)
    {
        var file = Inner.Open(path, intent);
        if (!path.EndsWith(FileNames.TableSuffix, StringComparison.Ordinal) || intent != FileIntent.Read) return file;
        lock (_gate)
            LiveFiles++;
        return new ColdFile(this, file);
    }

    private sealed class ColdFile(ColdStorage storage, IStorageFile file) : FileLayer(file)
    {
        private bool _disposed;

        public override void Read(long offset, Span<byte> destination)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (storage.IsBroken) throw new IOException("the disk cannot read it");
            base.Read(offset, destination);
            lock (storage._gate)
            {
                storage._calls.Add(new ColdCall(true, offset, destination.Length));
                foreach (var mapping in storage._mappings)
                {
                    if (mapping.Path == Path) mapping.Load(offset, destination.Length, isKept: false);
                }
            }
        }

        public override void Write(long offset, ReadOnlySpan<byte> source) => throw new NotSupportedException();

        public override void Allocate(long length) => throw new NotSupportedException();

        public override void BeginRead(long offset, long length)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            lock (storage._gate)
                storage._calls.Add(new ColdCall(false, offset, length));
        }

        public override void Sync() => throw new NotSupportedException();

        public override IMapping Map(long length, MappingAccess access)
        {
            using var whole = Inner.Map(length, access);
            var mapping = new ColdMapping(storage, Path, new ReadOnlySpan<byte>(whole.Address, (int)length));
            lock (storage._gate)
                storage._mappings.Add(mapping);
            return mapping;
        }

        public override void Dispose()
        {
            base.Dispose();
            lock (storage._gate)
                storage.LiveFiles -= _disposed ? 0 : 1;
            _disposed = true;
        }
    }

    private sealed class ColdMapping : IMapping
    {
        private readonly ColdStorage _storage;
        private readonly nuint _size;
        private readonly bool[] _resident;
        private readonly bool[] _kept;

        public ColdMapping(ColdStorage storage, string path, ReadOnlySpan<byte> bytes)
        {
            _storage = storage;
            Path = path;
            Length = bytes.Length;
            var pages = (bytes.Length + Page - 1) / Page;
            (_resident, _kept, _size) = (new bool[pages], new bool[pages], (nuint)pages * Page);
            Address = (byte*)AnonymousMemory.Map(_size);
            bytes.CopyTo(new Span<byte>(Address, bytes.Length));
            Allow(0, pages, AnonymousMemory.NoAccess);
        }

        public string Path { get; }

        public byte* Address { get; }

        public long Length { get; }

        public void Dirtied(long offset, long length) => throw new NotSupportedException();

        public void Sync(long offset, long length) => throw new NotSupportedException();

        public void Populate(long offset, long length) => Load(offset, length, isKept: true);

        public bool IsResident(long offset, long length)
        {
            lock (_storage._gate)
                return !_resident.AsSpan((int)(offset / Page), PagesOf(offset, length)).Contains(false);
        }

        public void Load(long offset, long length, bool isKept)
        {
            int first = (int)(offset / Page), count = PagesOf(offset, length);
            lock (_storage._gate)
            {
                _resident.AsSpan(first, count).Fill(true);
                if (isKept) _kept.AsSpan(first, count).Fill(true);
                Allow(first, count, AnonymousMemory.ReadOnly);
            }
        }

        public void Evict()
        {
            for (var page = 0; page < _resident.Length; page++)
            {
                if (!_resident[page] || _kept[page]) continue;
                _resident[page] = false;
                Allow(page, 1, AnonymousMemory.NoAccess);
            }
        }

        public void Dispose()
        {
            lock (_storage._gate)
            {
                if (_storage._mappings.Remove(this)) AnonymousMemory.Unmap((nint)Address, _size);
            }
        }

        private static int PagesOf(long offset, long length) =>
            (int)((offset + length + Page - 1) / Page - offset / Page);

        private void Allow(int page, int count, int protection)
        {
            if (count != 0) AnonymousMemory.Protect((nint)Address + page * Page, (nuint)count * Page, protection);
        }
    }
}
