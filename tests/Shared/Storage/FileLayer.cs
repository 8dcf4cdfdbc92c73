using Varve.Storage;

namespace Varve.Tests.Shared;

/// <summary>An open file of a <see cref="StorageLayer"/>: passes every call on. Its mappings are layers too.</summary>
internal abstract class FileLayer(IStorageFile inner) : IStorageFile
{
    public string Path => Inner.Path;

    public long Length => Inner.Length;

    protected IStorageFile Inner { get; } = inner;

    public virtual void Read(long offset, Span<byte> destination) => Inner.Read(offset, destination);

    public virtual void Write(long offset, ReadOnlySpan<byte> source) => Inner.Write(offset, source);

    public virtual void Allocate(long length) => Inner.Allocate(length);

    public virtual void Truncate(long length) => Inner.Truncate(length);

    public virtual void BeginSync(long offset, long length) => Inner.BeginSync(offset, length);

    public virtual void BeginRead(long offset, long length) => Inner.BeginRead(offset, length);

    public virtual void Sync() => Inner.Sync();

    public virtual void Sync(IMapping mapping, long offset, long length) =>
        Inner.Sync(((MappingLayer)mapping).Inner, offset, length);

    public virtual IMapping Map(long length, MappingAccess access) => new MappingLayer(Inner.Map(length, access));

    public virtual void Dispose() => Inner.Dispose();
}
