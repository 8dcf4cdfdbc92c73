using Varve.Tests.Schedules.Control;

namespace Varve.Tests.Schedules.Scenarios;

/// <summary>What is explored, by name.</summary>
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
        ["directory"] = new(() => new DirectoryScenario(), 2, 3, 20),
        ["engine-close-gets"] = new(() => new EngineScenario(EngineDoes.Close, EngineReads.Gets), 1, 2, 4),
        ["engine-close-views"] = new(() => new EngineScenario(EngineDoes.Close, EngineReads.Views), 1, 2, 4),
        ["engine-flush-gets"] = new(() => new EngineScenario(EngineDoes.Flush, EngineReads.Gets), 1, 2, 4),
        ["engine-flush-views"] = new(() => new EngineScenario(EngineDoes.Flush, EngineReads.Views), 1, 2, 4),
        ["memtable-backward"] = new(() => new MemtableScenario(MemtableReads.Backward), 1, 2, 20),
        ["memtable-forward"] = new(() => new MemtableScenario(MemtableReads.Forward), 1, 2, 20),
        ["memtable-run"] = new(() => new MemtableScenario(MemtableReads.Forward, ascending: true), 1, 2, 10),
        ["memtable-seek"] = new(() => new MemtableScenario(MemtableReads.Seek), 1, 2, 20),
        ["pins"] = new(() => new PinScenario(viaReclaimer: false), 3, 4, 10),
        ["reclaimer"] = new(() => new PinScenario(viaReclaimer: true), 3, 4, 10),
        ["references"] = new(() => new ReferenceScenario(), 3, 5, 5),
        ["terms"] = new(() => new TermScenario(), 3, 4, 5),
    };

    public static Scenario Make(string name) => All[name].Make();
}
