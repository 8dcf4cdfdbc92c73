namespace Varve.Tests.Conformance.Rules;

// The rules as kept by the model.

public sealed class DictionaryKeepsChunkRules : ChunkRules<DictionaryMachines>;

public sealed class DictionaryKeepsDuplicateRules : DuplicateRules<DictionaryMachines>;

public sealed class DictionaryKeepsCompareAndSwapRules : CompareAndSwapRules<DictionaryMachines>;

public sealed class DictionaryKeepsConditionalRules : ConditionalRules<DictionaryMachines>;

public sealed class DictionaryKeepsLeaseRules : LeaseRules<DictionaryMachines>;

public sealed class DictionaryKeepsReadRules : ReadRules<DictionaryMachines>;

public sealed class DictionaryKeepsPositionRules : PositionRules<DictionaryMachines>;

public sealed class DictionaryKeepsSnapshotRules : SnapshotRules<DictionaryMachines>;

public sealed class DictionaryKeepsInstallRules : InstallRules<DictionaryMachines>;

public sealed class DictionaryKeepsLifecycleRules : LifecycleRules<DictionaryMachines>;

public sealed class DictionaryKeepsInvalidCommandRules : InvalidCommandRules<DictionaryMachines>;
