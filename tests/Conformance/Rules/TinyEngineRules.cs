namespace Varve.Tests.Conformance.Rules;

// The rules as kept by the engine, smallest sizes.

public sealed class TinyEngineKeepsChunkRules : ChunkRules<TinyEngineMachines>;

public sealed class TinyEngineKeepsDuplicateRules : DuplicateRules<TinyEngineMachines>;

public sealed class TinyEngineKeepsCompareAndSwapRules : CompareAndSwapRules<TinyEngineMachines>;

public sealed class TinyEngineKeepsConditionalRules : ConditionalRules<TinyEngineMachines>;

public sealed class TinyEngineKeepsLeaseRules : LeaseRules<TinyEngineMachines>;

public sealed class TinyEngineKeepsReadRules : ReadRules<TinyEngineMachines>;

public sealed class TinyEngineKeepsPositionRules : PositionRules<TinyEngineMachines>;

public sealed class TinyEngineKeepsSnapshotRules : SnapshotRules<TinyEngineMachines>;

public sealed class TinyEngineKeepsInstallRules : InstallRules<TinyEngineMachines>;

public sealed class TinyEngineKeepsLifecycleRules : LifecycleRules<TinyEngineMachines>;
