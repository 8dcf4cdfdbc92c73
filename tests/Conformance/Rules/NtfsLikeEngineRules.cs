namespace Varve.Tests.Conformance.Rules;

// The rules that have to do with files, as kept by the engine where open and mapped files can be neither deleted nor
// replaced.

public sealed class NtfsLikeEngineKeepsPositionRules : PositionRules<NtfsLikeMachines>;

public sealed class NtfsLikeEngineKeepsSnapshotRules : SnapshotRules<NtfsLikeMachines>;

public sealed class NtfsLikeEngineKeepsInstallRules : InstallRules<NtfsLikeMachines>;

public sealed class NtfsLikeEngineKeepsLifecycleRules : LifecycleRules<NtfsLikeMachines>;
