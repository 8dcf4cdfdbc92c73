using Varve.Storage;

namespace Varve.Tests.Engine.Storage;

/// <summary>A mapping whose syncs a test storage sees, as it sees those of files.</summary>
internal sealed unsafe class WatchedMapping(IMapping mapping, Action<Action> sync) : IMapping
{
    public byte* Address => mapping.Address;

    public long Length => mapping.Length;

    public void Dirtied(long offset, long length) => mapping.Dirtied(offset, length);

    public void Sync(long offset, long length) => sync(() => mapping.Sync(offset, length));

    public void Populate(long offset, long length) => mapping.Populate(offset, length);

    public bool IsResident(long offset, long length) => mapping.IsResident(offset, length);

    public void Dispose() => mapping.Dispose();
}
