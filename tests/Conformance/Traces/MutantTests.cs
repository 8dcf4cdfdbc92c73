using FsCheck.Fluent;

namespace Varve.Tests.Conformance.Traces;

/// <summary>Passes everything on; a mutant overrides one member with a mistake.</summary>
public abstract class Mutant : IStateMachine
{
    private IStateMachine Real { get; set; } = null!;

    internal Mutant Over(IStateMachine machine)
    {
        Real = machine;
        return this;
    }

    public bool IsRunning => Real.IsRunning;
    public virtual long Count => Real.Count;
    public LogId LastApplied => Real.LastApplied;
    public SnapshotMetadata? SnapshotMetadata => Real.SnapshotMetadata;
    public Task StartAsync(CancellationToken cancellationToken = default) => Real.StartAsync(cancellationToken);
    public void Stop() => Real.Stop();
    public void CloseStorage() => Real.CloseStorage();
    public virtual byte[]? Get(ReadOnlySpan<byte> key) => Real.Get(key);
    public byte[]?[] GetMulti(IReadOnlyList<ReadOnlyMemory<byte>> keys) => Real.GetMulti(keys);
    public virtual ScanResult ScanPrefix(ReadOnlySpan<byte> prefix) => Real.ScanPrefix(prefix);
    public virtual ValueTask<ApplyResult[]> ApplyChunkAsync(
        ReadOnlyMemory<ApplyEntry> chunk, CancellationToken cancellationToken = default) =>
        Real.ApplyChunkAsync(chunk, cancellationToken);
    public virtual ulong? EntryTerm(ulong index) => Real.EntryTerm(index);
    public void UpdateLastApplied(LogId lastApplied) => Real.UpdateLastApplied(lastApplied);
    public void PersistLastApplied(LogId lastApplied) => Real.PersistLastApplied(lastApplied);
    public void UpdateLastSnapshotMetadata(SnapshotMetadata metadata) => Real.UpdateLastSnapshotMetadata(metadata);
    public void PersistLastSnapshotMetadata(SnapshotMetadata metadata) => Real.PersistLastSnapshotMetadata(metadata);
    public Task<ReadOnlyMemory<byte>> GenerateSnapshotDataAsync(
        string newSnapshotDirectory, LogId lastIncluded, CancellationToken cancellationToken = default) =>
        Real.GenerateSnapshotDataAsync(newSnapshotDirectory, lastIncluded, cancellationToken);
    public Task ApplySnapshotFromFileAsync(
        SnapshotMetadata metadata, string snapshotPath, CancellationToken cancellationToken = default) =>
        Real.ApplySnapshotFromFileAsync(metadata, snapshotPath, cancellationToken);
    public void SaveHardState() => Real.SaveHardState();
    public void Flush() => Real.Flush();
    public Task FlushAsync(CancellationToken cancellationToken = default) => Real.FlushAsync(cancellationToken);
    public virtual Task ResetAsync(CancellationToken cancellationToken = default) => Real.ResetAsync(cancellationToken);
    public virtual Task<IReadOnlyList<ReadOnlyMemory<byte>>> LeaseBackgroundCleanupAsync(
        CancellationToken cancellationToken = default) =>
        Real.LeaseBackgroundCleanupAsync(cancellationToken);

    public ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return Real.DisposeAsync();
    }
}

/// <summary>
/// The model tests can fail: each of these mistakes is found within a few hundred traces, in practice within a few.
/// </summary>
public sealed class MutantTests
{
    private sealed class Machines(Func<Mutant> create) : IMachineFactory
    {
        private readonly DictionaryMachines _real = new();

        public bool HasFiles => false;

        public IStateMachine Open(string directory, EngineOptions? options = null) =>
            create().Over(_real.Open(directory, options));
    }

    private sealed class TakesEmptyForAbsent : Mutant
    {
        public override byte[]? Get(ReadOnlySpan<byte> key) => base.Get(key) is { Length: > 0 } value ? value : null;
    }

    private sealed class ReadsTheRevisionLater : Mutant
    {
        public override ScanResult ScanPrefix(ReadOnlySpan<byte> prefix) =>
            base.ScanPrefix(prefix) is var scan && scan.Revision % 50 == 49
                ? scan with { Revision = scan.Revision + 1 }
                : scan;
    }

    private sealed class AppliesEntryByEntry : Mutant
    {
        public override async ValueTask<ApplyResult[]> ApplyChunkAsync(
            ReadOnlyMemory<ApplyEntry> chunk, CancellationToken cancellationToken = default)
        {
            var results = new List<ApplyResult>();
            for (var i = 0; i < chunk.Length; i++)
                results.AddRange(await base.ApplyChunkAsync(chunk.Slice(i, 1), cancellationToken));
            return [.. results];
        }
    }

    private sealed class InventsOutcomes : Mutant
    {
        public override async ValueTask<ApplyResult[]> ApplyChunkAsync(
            ReadOnlyMemory<ApplyEntry> chunk, CancellationToken cancellationToken = default)
        {
            var applied = LastApplied.Index;
            var results = await base.ApplyChunkAsync(chunk, cancellationToken);
            return [.. results.Select(result => result.Index <= applied ? result with { Succeeded = true } : result)];
        }
    }

    private sealed class LosesALease : Mutant
    {
        public override ValueTask<ApplyResult[]> ApplyChunkAsync(
            ReadOnlyMemory<ApplyEntry> chunk, CancellationToken cancellationToken = default) =>
            base.ApplyChunkAsync(
                chunk.ToArray().Select(entry => entry.Command is { TtlSeconds: 3, Kind: CommandKind.Insert } command
                    ? entry with { Command = Command.Insert(command.Key, command.Value) }
                    : entry).ToArray(),
                cancellationToken);
    }

    private sealed class CleansNothing : Mutant
    {
        public override Task<IReadOnlyList<ReadOnlyMemory<byte>>> LeaseBackgroundCleanupAsync(
            CancellationToken cancellationToken = default) =>
            Task.FromResult<IReadOnlyList<ReadOnlyMemory<byte>>>([]);
    }

    public static TheoryData<string> Mistakes => [.. Mutants.Keys];

    private static readonly Dictionary<string, Func<Mutant>> Mutants = new()
    {
        [nameof(TakesEmptyForAbsent)] = () => new TakesEmptyForAbsent(),
        [nameof(ReadsTheRevisionLater)] = () => new ReadsTheRevisionLater(),
        [nameof(AppliesEntryByEntry)] = () => new AppliesEntryByEntry(),
        [nameof(InventsOutcomes)] = () => new InventsOutcomes(),
        [nameof(LosesALease)] = () => new LosesALease(),
        [nameof(CleansNothing)] = () => new CleansNothing(),
    };

    [Theory]
    [MemberData(nameof(Mistakes))]
    public async Task MistakeIsFound(string mistake)
    {
        var options = new EngineOptions { LeaseClock = LeaseClock.Log, MemtableBytes = 4 << 20 };
        foreach (var trace in TraceGenerator.Traces().Generator.Sample(300, new FsCheck.Rnd(1), 50))
        {
            if (await Xunit.Record.ExceptionAsync(
                () => TraceRun.PlayAsync(new Machines(Mutants[mistake]), options, trace)) is not null)
                return;
        }
        Assert.Fail($"{mistake} passed 300 traces");
    }
}
