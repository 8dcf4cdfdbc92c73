using Varve.Storage;

namespace Varve.Tests.Shared;

/// <summary>A mapping of a <see cref="FileLayer"/>: passes every call on.</summary>
internal unsafe class MappingLayer(IMapping inner) : IMapping
{
    /// <summary>The mapping that the storage below gave.</summary>
    public IMapping Inner { get; } = inner;

    public virtual byte* Address => Inner.Address;

    public long Length => Inner.Length;

    public virtual void Dirtied(long offset, long length) => Inner.Dirtied(offset, length);

    public virtual void Sync(long offset, long length) => Inner.Sync(offset, length);

    public virtual void Populate(long offset, long length) => Inner.Populate(offset, length);

    public virtual bool IsResident(long offset, long length) => Inner.IsResident(offset, length);

    public virtual void Dispose() => Inner.Dispose();
}
