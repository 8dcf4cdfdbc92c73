using System.Runtime.InteropServices;
using Varve.Background;
using Varve.Storage;

namespace Varve.Tests.Conformance.Machines;

/// <summary>
/// The real storage, except that an unmapped range stays reserved without access: a late read always raises SIGSEGV.
/// The file is closed; the latest ranges are kept.
/// </summary>
internal sealed unsafe partial class ProtectedStorage(IStorage storage) : StorageLayer(storage)
{
    private const int RangesMax = 16_384; // the kernel allows 65,530 in a process
    private const int None = 0;
    private const int PrivateAnonymousFixed = 0x32;

    private readonly Queue<(nint Address, nuint Length)> _retired = new();

    /// <summary>The number of mappings that were retired this way.</summary>
    public long Retired { get; private set; }

    public static bool IsPossible => OperatingSystem.IsLinux();

    public override IStorageFile Open(string path, FileIntent intent) =>
        new ProtectedFile(this, base.Open(path, intent));

    public override IStorageFile? TryTakeOver(string path, string newPath) =>
        base.TryTakeOver(path, newPath) is { } file ? new ProtectedFile(this, file) : null;

    /// <summary>Unmaps the retired ranges, when no reader is left.</summary>
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

    private sealed class ProtectedFile(ProtectedStorage owner, IStorageFile file) : FileLayer(file)
    {
        public override IMapping Map(long length, MappingAccess access) =>
            new ProtectedMapping(owner, Inner.Map(length, access));
    }

    /// <summary>The inner mapping is never disposed: a range without access replaces it.</summary>
    private sealed class ProtectedMapping(ProtectedStorage owner, IMapping mapping) : MappingLayer(mapping)
    {
        private int _disposed;

        public override void Populate(long offset, long length)
        {
            if (Volatile.Read(ref _disposed) == 0) base.Populate(offset, length);
        }

        public override void Dispose()
        {
            if (Interlocked.Exchange(ref _disposed, 1) == 0 && Address != null) owner.Retire((nint)Address, Length);
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
