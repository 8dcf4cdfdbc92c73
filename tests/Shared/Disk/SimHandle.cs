using Varve.Storage;

namespace Varve.Tests.Shared.Disk;

/// <summary>An open file of <see cref="SimFs"/>.</summary>
internal sealed unsafe class SimHandle : IStorageFile
{
    private readonly SimFs _owner;
    private readonly SimFile _file;
    private readonly bool _canWrite;
    private bool _disposed;

    public SimHandle(SimFs owner, SimFile file, string path, bool canWrite)
    {
        _owner = owner;
        _file = file;
        _canWrite = canWrite;
        Path = path;
        file.References++;
    }

    public string Path { get; }

    public long Length => _file.Length;

    public void Read(long offset, Span<byte> destination)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (destination.IsEmpty) return;
        lock (_owner.Gate) // no closure: tests of the read path count allocations
        {
            if (_owner.Faults.Enter(SimCall.Read, Path) is { } failure) throw failure;
            var missing = offset + destination.Length - _file.Length;
            if (missing > 0)
                throw new EndOfStreamException($"{Path}: ended at offset {_file.Length}, {missing} bytes short");
            new ReadOnlySpan<byte>(_file.Memory + offset, destination.Length).CopyTo(destination);
        }
    }

    public void Write(long offset, ReadOnlySpan<byte> source)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (!_canWrite) throw new IOException($"{Path}: pwrite failed: opened to read");
        if (source.IsEmpty) return;
        fixed (byte* from = source)
        {
            var (pointer, length) = ((nint)from, source.Length);
            // A write that fails has got somewhere.
            _owner.Call(
                SimCall.Write, Path, () => Put(offset, (byte*)pointer, length),
                () => Put(offset, (byte*)pointer, length / 2));
        }
    }

    public void Allocate(long length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (length == 0) return;
        _owner.Call(SimCall.Allocate, Path, () =>
        {
            _owner.Take(_file, length, Path);
            _owner.Grow(_file, length);
        });
    }

    public void Truncate(long length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ObjectDisposedException.ThrowIf(_disposed, this);
        _owner.Call(SimCall.Truncate, Path, () => _owner.Shrink(_file, length));
    }

    public void Sync()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        _owner.Call(SimCall.Sync, Path, () => Synced(SimEventKind.Synced), () => Synced(SimEventKind.SyncFailed));
    }

    public void Sync(IMapping mapping, long offset, long length)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        mapping.Sync(offset, length);
    }

    public IMapping Map(long length, MappingAccess access)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ObjectDisposedException.ThrowIf(_disposed, this);
        return _owner.Call(SimCall.Map, Path, () =>
        {
            if (length > _file.Length)
                throw new EndOfStreamException($"{Path}: cannot map {length} bytes of a file of {_file.Length}");
            return new SimMapping(_owner, _file, Path, length, access);
        });
    }

    public void Dispose() => _owner.Locked(() =>
    {
        if (!_disposed) _owner.Release(_file);
        _disposed = true;
    });

    private void Synced(SimEventKind kind)
    {
        _owner.Capture(_file);
        _owner.Journal?.Add(new SimEvent(kind) { Node = _file.Id, PageEnd = int.MaxValue, WithSize = true });
    }

    private void Put(long offset, byte* from, long length)
    {
        if (length == 0) return;
        _owner.Take(_file, offset + length, Path);
        _owner.Capture(_file);
        _file.Reserve(offset + length);
        Buffer.MemoryCopy(from, _file.Memory + offset, length, length);
        for (var page = (int)(offset / Page.Size); page < SimFile.PagesOf(offset + length); page++)
            _owner.Stored(_file, page, throughMapping: false);
        _owner.Grow(_file, offset + length);
    }
}

/// <summary>A range of a file of <see cref="SimFs"/>: the file's own memory, or a copy of it.</summary>
internal sealed unsafe class SimMapping : IMapping
{
    private readonly SimFs _owner;
    private readonly SimFile _file;
    private readonly string _path;
    private readonly bool _isWritable;
    private readonly GuardedMemory? _copy;
    private bool _disposed;

    public SimMapping(SimFs owner, SimFile file, string path, long length, MappingAccess access)
    {
        _owner = owner;
        _file = file;
        _path = path;
        _isWritable = !access.IsReadOnly();
        Length = length;
        file.References++;
        owner.LiveMappings++;
        if (owner.Mappings != SimMappings.Shared)
        {
            _copy = new GuardedMemory(
                new ReadOnlySpan<byte>(file.Memory, checked((int)length)), owner.Mappings == SimMappings.ReusedCopies);
            Address = _copy.Address;
            return;
        }

        Address = length == 0 ? null : file.Memory;
        file.Mappings++;
        if (_isWritable) file.WritableMappings++;
    }

    public byte* Address { get; }

    public long Length { get; }

    public void Dirtied(long offset, long length)
    {
        lock (_owner.Gate) // no closure: tests of the apply path count allocations
        {
            WriteBack(offset, length);
            _owner.Capture(_file, First(offset), End(offset, length));
        }
    }

    public void Sync(long offset, long length)
    {
        if (offset < 0 || length <= 0 || offset > Length - length)
            throw new ArgumentOutOfRangeException(nameof(offset));
        _owner.Call(SimCall.SyncRange, _path, () => Synced(SimEventKind.Synced), () => Synced(SimEventKind.SyncFailed));

        void Synced(SimEventKind kind)
        {
            WriteBack(offset, length);
            _owner.Capture(_file);
            _owner.Journal?.Add(
                new SimEvent(kind) { Node = _file.Id, Page = First(offset), PageEnd = End(offset, length) });
        }
    }

    public void Populate(long offset, long length)
    {
        if (offset < 0 || length < 0 || offset > Length - length) throw new ArgumentOutOfRangeException(nameof(offset));
    }

    public bool IsResident(long offset, long length)
    {
        if (offset < 0 || length < 0 || offset > Length - length) throw new ArgumentOutOfRangeException(nameof(offset));
        return _owner.IsCached;
    }

    public void Dispose() => _owner.Locked(() =>
    {
        if (_disposed) return;
        _disposed = true;
        _owner.LiveMappings--;
        if (_copy is null)
        {
            _owner.Capture(_file);
            if (_isWritable) _owner.Forget(_file);
            _file.Mappings--;
            if (_isWritable) _file.WritableMappings--;
        }
        else
        {
            WriteBack(0, Length);
            _copy.Dispose();
        }

        _owner.Release(_file);
    });

    /// <summary>Puts stores to a copy into the file.</summary>
    private void WriteBack(long offset, long length)
    {
        if (_copy is null || !_isWritable) return;
        Buffer.MemoryCopy(Address + offset, _file.Memory + offset, length, length);
        for (var page = First(offset); page < End(offset, length); page++)
            _owner.Stored(_file, page, throughMapping: false);
    }

    private static int First(long offset) => (int)(offset / Page.Size);

    private static int End(long offset, long length) => SimFile.PagesOf(offset + length);
}
