using Varve.Background;
using Varve.Storage;

namespace Varve.Tests.Conformance.Machines;

/// <summary>
/// The engine at its smallest sizes, as it is on Windows: the portable storage, on a file system that refuses what NTFS
/// refuses.
/// </summary>
public sealed class NtfsLikeMachines : IMachineFactory
{
    private readonly NtfsLikeStorage _storage = new(new PortableStorage());

    public bool HasFiles => true;

    public IStateMachine Open(string directory, EngineOptions? options = null) =>
        LsmStateMachine.Open(directory, TinyEngineMachines.Shrunk(options), new EngineSeams(_storage));
}
