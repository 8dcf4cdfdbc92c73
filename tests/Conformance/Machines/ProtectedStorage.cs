using System.Runtime.InteropServices;
using Varve.Background;
using Varve.Storage;

namespace Varve.Tests.Conformance.Machines;

/// <summary>
/// The real storage, except that an unmapped range stays reserved without access: a late read always raises SIGSEGV.
/// The file is closed; the latest ranges are kept.
/// </summary>
internal sealed unsafe partial class ProtectedStorage(IStorage storage) : IStorage
{
    private const int RangesMax = 16_384; // the kernel allows 65,530 in a process
    private const int None = 0;
    private const int PrivateAnonymousFixed = 0x32;

    private readonly Queue<(nint Address, nuint Length)> _retired = new();

    /// <summary>The number of mappings that were retired this way.</summary>
    public long Retired { get; private set; }

    public static bool IsPossible => OperatingSystem.IsLinux();

    public void CreateDirectory(string path) => storage.CreateDirectory(path);

    public bool DirectoryExists(string path) => storage.DirectoryExists(path);

    public bool FileExists(string path) => storage.FileExists(path);

    public IReadOnlyList<string> List(string directory) => storage.List(directory);

    public IStorageFile Open(string path, FileIntent intent) => new ProtectedFile(this, storage.Open(path, intent));

    public void SyncDirectory(string path) => storage.SyncDirectory(path);

    public bool TryLink(string existingPath, string newPath) => storage.TryLink(existingPath, newPath);

    public void Rename(string from, string to) => storage.Rename(from, to);

    public void Delete(string path) => storage.Delete(path);

    public void DeleteDirectory(string path) => storage.DeleteDirectory(path);

    public IDisposable? TryLock(string path) => storage.TryLock(path);

    public IDisposable? TryLockExisting(string path) => storage.TryLockExisting(path);

    public IDisposable? TryShare(string path) => storage.TryShare(path);

    public bool IsShared(string path) => storage.IsShared(path);

    public IStorageFile? TryTakeOver(string path, string newPath) =>
        storage.TryTakeOver(path, newPath) is { } file ? new ProtectedFile(this, file) : null;

    /// <summary>Unmaps for good what was retired. Nobody reads any more.</summary>
    public void Release()
    {
        lock (_retired)
            while (_retired.TryDequeue(out var range)) _ = munmap(range.Address, range.Length);
    }

    private void Retire(nint address, long length)
    {
        long page = Environment.SystemPageSize;
        var bytes = (nuint)((length + page - 1) / page * page);
        if (mmap(address, bytes, None, PrivateAnonymousFixed, -1, 0) != address)
            throw new IOException("mmap over a retired mapping");
        lock (_retired)
        {
            Retired++;
            _retired.Enqueue((address, bytes));
            if (_retired.Count > RangesMax && _retired.TryDequeue(out var oldest))
                _ = munmap(oldest.Address, oldest.Length);
        }
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint mmap(nint address, nuint length, int protection, int flags, int file, long offset);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int munmap(nint address, nuint length);

    private sealed class ProtectedFile(ProtectedStorage owner, IStorageFile file) : IStorageFile
    {
        public string Path => file.Path;

        public long Length => file.Length;

        public void Read(long offset, Span<byte> destination) => file.Read(offset, destination);

        public void Write(long offset, ReadOnlySpan<byte> source) => file.Write(offset, source);

        public void Allocate(long length) => file.Allocate(length);

        public void Truncate(long length) => file.Truncate(length);

        public void BeginRead(long offset, long length) => file.BeginRead(offset, length);

        public void Sync() => file.Sync();

        public IMapping Map(long length, MappingAccess access) => new ProtectedMapping(owner, file.Map(length, access));

        public void Dispose() => file.Dispose();
    }

    /// <summary>The inner mapping is never disposed: a range without access replaces it.</summary>
    private sealed class ProtectedMapping(ProtectedStorage owner, IMapping mapping) : IMapping
    {
        private int _disposed;

        public byte* Address => mapping.Address;

        public long Length => mapping.Length;

        public void Dirtied(long offset, long length) => mapping.Dirtied(offset, length);

        public void Sync(long offset, long length) => mapping.Sync(offset, length);

        public void Populate(long offset, long length)
        {
            if (Volatile.Read(ref _disposed) == 0) mapping.Populate(offset, length);
        }

        public bool IsResident(long offset, long length) => mapping.IsResident(offset, length);

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _disposed, 1) == 0 && mapping.Address != null)
                owner.Retire((nint)mapping.Address, mapping.Length);
        }
    }
}

/// <summary>The tiny engine over storage that protects retired mappings.</summary>
public sealed class ProtectedEngineMachines : IMachineFactory
{
    private readonly ProtectedStorage? _storage =
        ProtectedStorage.IsPossible ? new ProtectedStorage(Storages.Default) : null;

    public bool HasFiles => true;

    /// <summary>The number of retired mappings; null if the system cannot protect them.</summary>
    public long? Retired => _storage?.Retired;

    public IStateMachine Open(string directory, EngineOptions? options = null) =>
        LsmStateMachine.Open(directory, TinyEngineMachines.Shrunk(options), new EngineSeams(_storage));

    /// <summary>Gives the addresses back.</summary>
    public void Release() => _storage?.Release();
}
