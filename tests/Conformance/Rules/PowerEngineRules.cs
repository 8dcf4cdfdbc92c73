namespace Varve.Tests.Conformance.Rules;

// The rules as kept by the engine, durability Power.

public sealed class PowerEngineKeepsChunkRules : ChunkRules<PowerEngineMachines>;

public sealed class PowerEngineKeepsDuplicateRules : DuplicateRules<PowerEngineMachines>;

public sealed class PowerEngineKeepsCompareAndSwapRules : CompareAndSwapRules<PowerEngineMachines>;

public sealed class PowerEngineKeepsConditionalRules : ConditionalRules<PowerEngineMachines>;

public sealed class PowerEngineKeepsLeaseRules : LeaseRules<PowerEngineMachines>;

public sealed class PowerEngineKeepsReadRules : ReadRules<PowerEngineMachines>;

public sealed class PowerEngineKeepsPositionRules : PositionRules<PowerEngineMachines>;

public sealed class PowerEngineKeepsSnapshotRules : SnapshotRules<PowerEngineMachines>;

public sealed class PowerEngineKeepsInstallRules : InstallRules<PowerEngineMachines>;

public sealed class PowerEngineKeepsLifecycleRules : LifecycleRules<PowerEngineMachines>;
