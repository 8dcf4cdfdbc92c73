namespace Varve.Tests.Conformance.Machines;

/// <summary>
/// Makes the machines that a conformance test runs against. One instance a test; it owns what "disk" there is.
/// </summary>
public interface IMachineFactory
{
    /// <summary>Opens, or opens again, the machine of a directory.</summary>
    /// <param name="directory">Where it lives.</param>
    /// <param name="options">What the test needs of it; the factory overrides only sizes.</param>
    IStateMachine Open(string directory, EngineOptions? options = null);

    /// <summary>
    /// The directory holds real files, with everything that follows: locks, hard links, hostile bytes.
    /// </summary>
    bool HasFiles { get; }
}

/// <summary>The model. Closing hands the state to the factory, opening again takes it from there.</summary>
public sealed class DictionaryMachines : IMachineFactory
{
    private readonly Dictionary<string, DictionaryState> _disks = [];

    public bool HasFiles => false;

    public IStateMachine Open(string directory, EngineOptions? options = null)
    {
        if (!_disks.Remove(directory, out var disk)) disk = new DictionaryState();
        return new DictionaryStateMachine(disk, options ?? new EngineOptions(), state => _disks[directory] = state);
    }
}

/// <summary>The engine with its default sizes.</summary>
public sealed class EngineMachines : IMachineFactory
{
    public bool HasFiles => true;

    public IStateMachine Open(string directory, EngineOptions? options = null) =>
        LsmStateMachine.Open(directory, options);
}

/// <summary>The engine with everything as small as it goes, so that a small test flushes, seals and merges.</summary>
public sealed class TinyEngineMachines : IMachineFactory
{
    public bool HasFiles => true;

    public IStateMachine Open(string directory, EngineOptions? options = null) =>
        LsmStateMachine.Open(directory, Shrunk(options));

    internal static EngineOptions Shrunk(EngineOptions? options) => (options ?? new EngineOptions()) with
    {
        MemtableBytes = 64 << 10,
        BlockBytes = 512,
        TableBytes = 64 << 10,
        UpperRunsMax = 2,
    };
}

/// <summary>The engine that syncs before it acknowledges.</summary>
public sealed class PowerEngineMachines : IMachineFactory
{
    public bool HasFiles => true;

    public IStateMachine Open(string directory, EngineOptions? options = null) =>
        LsmStateMachine.Open(directory, TinyEngineMachines.Shrunk(options) with { Durability = Durability.Power });
}
