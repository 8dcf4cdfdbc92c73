using Varve.Tests.Schedules.Control;

namespace Varve.Tests.Schedules.Scenarios;

/// <summary>The explored scenarios, by name.</summary>
/// <param name="Make">A fresh one, for one schedule.</param>
/// <param name="Bound">Departures of the exhaustive search in CI.</param>
/// <param name="LongBound">And in a long run.</param>
/// <param name="Weight">Its share of random schedules.</param>
internal sealed record Entry(Func<Scenario> Make, int Bound, int LongBound, int Weight);

internal static class Catalogue
{
    public static readonly SortedDictionary<string, Entry> All = new(StringComparer.Ordinal)
    {
        ["applied-cell"] = new(() => new AppliedCellScenario(), 2, 3, 10),
        ["change-signal"] = new(() => new ChangeSignalScenario(), 3, 5, 10),
        ["changes"] = new(() => new ChangesScenario(), 1, 2, 2),
        ["directory"] = new(() => new DirectoryScenario(), 3, 4, 20),
        ["engine-apply-async"] = new(() => new AsyncApplyScenario(), 0, 0, 5),
        ["engine-apply"] = new(() => new ApplyScenario(readsFirst: false), 1, 2, 3),
        ["engine-rotate"] = new(() => new ApplyScenario(readsFirst: true), 1, 2, 3),
        ["engine-close-gets"] = new(() => new EngineScenario(EngineDoes.Close, EngineReads.Gets), 0, 1, 3),
        ["engine-close-views"] = new(() => new EngineScenario(EngineDoes.Close, EngineReads.Views), 0, 1, 3),
        ["engine-counters"] = new(() => new CountersScenario(), 1, 2, 1),
        ["engine-flush-gets"] = new(() => new EngineScenario(EngineDoes.Flush, EngineReads.Gets), 0, 1, 3),
        ["engine-flush-views"] = new(() => new EngineScenario(EngineDoes.Flush, EngineReads.Views), 0, 1, 3),
        ["engine-install"] = new(() => new ReplaceScenario(Replacement.Install), 1, 2, 1),
        ["engine-reset"] = new(() => new ReplaceScenario(Replacement.Reset), 1, 2, 1),
        ["file-numbers"] = new(() => new FileNumberScenario(), 3, 4, 5),
        ["memtable-backward"] = new(() => new MemtableScenario(MemtableReads.Backward), 2, 3, 20),
        ["memtable-forward"] = new(() => new MemtableScenario(MemtableReads.Forward), 2, 3, 20),
        ["memtable-links"] = new(() => new MemtableScenario(MemtableReads.Seek, blocks: 4), 1, 2, 20),
        ["memtable-run"] = new(() => new MemtableScenario(MemtableReads.Forward, ascending: true), 2, 3, 10),
        ["memtable-seek"] = new(() => new MemtableScenario(MemtableReads.Seek), 2, 3, 20),
        ["pins"] = new(() => new PinScenario(PinFrees.Directly), 3, 4, 10),
        ["pins-three"] = new(() => new PinScenario(PinFrees.ByAnother), 1, 3, 10),
        ["reclaimer"] = new(() => new PinScenario(PinFrees.ByReclaimer), 2, 4, 10),
        ["reader-catches-up"] = new(() => new ReaderScenario(WriterDoes.Rotate, isOpenBefore: true), 1, 2, 5),
        ["reader-catches-up-reset"] = new(() => new ReaderScenario(WriterDoes.Reset, isOpenBefore: true), 2, 3, 5),
        ["reader-opens"] = new(() => new ReaderScenario(WriterDoes.Rotate, isOpenBefore: false), 2, 3, 5),
        ["reader-opens-reset"] = new(() => new ReaderScenario(WriterDoes.Reset, isOpenBefore: false), 2, 3, 5),
        ["references"] = new(() => new ReferenceScenario(), 4, 6, 5),
        ["holds"] = new(() => new HoldScenario(), 2, 4, 10),
        ["snapshot-reset"] = new(() => new SnapshotResetScenario(), 1, 2, 1),
        ["staged-dispose"] = new(() => new StagedEndScenario(StagedEnd.Dispose), 2, 3, 1),
        ["staged-install"] = new(() => new StagedInstallScenario(), 1, 2, 1),
        ["staged-refused"] = new(() => new StagedEndScenario(StagedEnd.RefusedInstall), 1, 2, 1),
        ["terms"] = new(() => new TermScenario(), 3, 4, 5),
    };

    public static Scenario Make(string name) => All[name].Make();
}
