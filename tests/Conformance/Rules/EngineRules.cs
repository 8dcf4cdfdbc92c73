namespace Varve.Tests.Conformance.Rules;

// The rules as kept by the engine, default sizes.

public sealed class EngineKeepsChunkRules : ChunkRules<EngineMachines>;

public sealed class EngineKeepsDuplicateRules : DuplicateRules<EngineMachines>;

public sealed class EngineKeepsCompareAndSwapRules : CompareAndSwapRules<EngineMachines>;

public sealed class EngineKeepsConditionalRules : ConditionalRules<EngineMachines>;

public sealed class EngineKeepsLeaseRules : LeaseRules<EngineMachines>;

public sealed class EngineKeepsReadRules : ReadRules<EngineMachines>;

public sealed class EngineKeepsPositionRules : PositionRules<EngineMachines>;

public sealed class EngineKeepsSnapshotRules : SnapshotRules<EngineMachines>;

public sealed class EngineKeepsInstallRules : InstallRules<EngineMachines>;

public sealed class EngineKeepsLifecycleRules : LifecycleRules<EngineMachines>;

public sealed class EngineKeepsInvalidCommandRules : InvalidCommandRules<EngineMachines>;
