using Varve.Storage;

namespace Varve.Tests.Simulation.Disk;

/// <summary>An open file of <see cref="SimFs"/>.</summary>
internal sealed unsafe class SimHandle : IStorageFile
{
    private readonly SimFs owner;
    private readonly SimFile file;
    private readonly bool canWrite;
    private bool disposed;

    public SimHandle(SimFs owner, SimFile file, string path, bool canWrite)
    {
        this.owner = owner;
        this.file = file;
        this.canWrite = canWrite;
        Path = path;
        file.References++;
    }

    public string Path { get; }

    public long Length => file.Length;

    public void Read(long offset, Span<byte> destination)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ObjectDisposedException.ThrowIf(disposed, this);
        if (destination.IsEmpty) return;
        fixed (byte* into = destination)
        {
            var (pointer, length) = ((nint)into, destination.Length);
            owner.Call(SimCall.Read, Path, () =>
            {
                if (offset + length > file.Length) throw new EndOfStreamException($"{Path}: ended at offset {file.Length}, {offset + length - file.Length} bytes short");
                Buffer.MemoryCopy(file.Memory + offset, (byte*)pointer, length, length);
            });
        }
    }

    public void Write(long offset, ReadOnlySpan<byte> source)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ObjectDisposedException.ThrowIf(disposed, this);
        if (!canWrite) throw new IOException($"{Path}: pwrite failed: opened to read");
        if (source.IsEmpty) return;
        fixed (byte* from = source)
        {
            var (pointer, length) = ((nint)from, source.Length);
            // A write that fails has got somewhere.
            owner.Call(SimCall.Write, Path, () => Put(offset, (byte*)pointer, length), () => Put(offset, (byte*)pointer, length / 2));
        }
    }

    public void Allocate(long length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ObjectDisposedException.ThrowIf(disposed, this);
        if (length == 0) return;
        owner.Call(SimCall.Allocate, Path, () =>
        {
            owner.Take(file, length, Path);
            owner.Grow(file, length);
        });
    }

    public void Truncate(long length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ObjectDisposedException.ThrowIf(disposed, this);
        owner.Call(SimCall.Truncate, Path, () => owner.Shrink(file, length));
    }

    public void Sync()
    {
        ObjectDisposedException.ThrowIf(disposed, this);
        owner.Call(SimCall.Sync, Path, () => Synced(SimEventKind.Synced), () => Synced(SimEventKind.SyncFailed));
    }

    public void Sync(IMapping mapping, long offset, long length)
    {
        ObjectDisposedException.ThrowIf(disposed, this);
        mapping.Sync(offset, length);
    }

    public IMapping Map(long length, MappingAccess access)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ObjectDisposedException.ThrowIf(disposed, this);
        return owner.Call(SimCall.Map, Path, () =>
        {
            if (length > file.Length) throw new EndOfStreamException($"{Path}: cannot map {length} bytes of a file of {file.Length}");
            return new SimMapping(owner, file, Path, length, access);
        });
    }

    public void Dispose() => owner.Locked(() =>
    {
        if (!disposed) owner.Release(file);
        disposed = true;
    });

    private void Synced(SimEventKind kind)
    {
        owner.Capture(file);
        owner.Journal?.Add(new SimEvent(kind) { Node = file.Id, PageEnd = int.MaxValue, WithSize = true });
    }

    private void Put(long offset, byte* from, long length)
    {
        if (length == 0) return;
        owner.Take(file, offset + length, Path);
        owner.Capture(file);
        file.Reserve(offset + length);
        Buffer.MemoryCopy(from, file.Memory + offset, length, length);
        for (var page = (int)(offset / Page.Size); page < SimFile.PagesOf(offset + length); page++) owner.Stored(file, page, throughMapping: false);
        owner.Grow(file, offset + length);
    }
}

/// <summary>A range of a file of <see cref="SimFs"/>: the file's own memory.</summary>
internal sealed unsafe class SimMapping : IMapping
{
    private readonly SimFs owner;
    private readonly SimFile file;
    private readonly string path;
    private readonly bool isWritable;
    private bool disposed;

    public SimMapping(SimFs owner, SimFile file, string path, long length, MappingAccess access)
    {
        this.owner = owner;
        this.file = file;
        this.path = path;
        isWritable = !access.IsReadOnly();
        Length = length;
        Address = length == 0 ? null : file.Memory;
        file.References++;
        file.Mappings++;
        if (isWritable) file.WritableMappings++;
    }

    public byte* Address { get; }

    public long Length { get; }

    public void Dirtied(long offset, long length) => owner.Locked(() => owner.Capture(file, First(offset), End(offset, length)));

    public void Sync(long offset, long length)
    {
        if (offset < 0 || length <= 0 || offset > Length - length) throw new ArgumentOutOfRangeException(nameof(offset));
        owner.Call(SimCall.SyncRange, path, () => Synced(SimEventKind.Synced), () => Synced(SimEventKind.SyncFailed));

        void Synced(SimEventKind kind)
        {
            owner.Capture(file);
            owner.Journal?.Add(new SimEvent(kind) { Node = file.Id, Page = First(offset), PageEnd = End(offset, length) });
        }
    }

    public void Populate(long offset, long length)
    {
        if (offset < 0 || length < 0 || offset > Length - length) throw new ArgumentOutOfRangeException(nameof(offset));
    }

    /// <summary>Never: so everything is read that may be read, and every such read may fail.</summary>
    public bool IsResident(long offset, long length)
    {
        if (offset < 0 || length < 0 || offset > Length - length) throw new ArgumentOutOfRangeException(nameof(offset));
        return false;
    }

    public void Dispose() => owner.Locked(() =>
    {
        if (disposed) return;
        disposed = true;
        owner.Capture(file);
        file.Mappings--;
        if (isWritable) file.WritableMappings--;
        owner.Release(file);
    });

    private static int First(long offset) => (int)(offset / Page.Size);

    private static int End(long offset, long length) => SimFile.PagesOf(offset + length);
}
