using Varve.Background;
using Varve.Tests.Shared.Disk;
using Varve.Tests.Simulation.Lives;

namespace Varve.Tests.Simulation.Crash;

/// <summary>A wrong recovery, with the data to reproduce it.</summary>
internal sealed class WrongRecoveryException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>
/// Opens the engine on a disk after a power loss and compares it with the expectation. The cheap check reads
/// everything; the full one recovers for writing, twice, with an apply, and checks each time.
/// </summary>
internal sealed class Oracle(SimFs disk)
{
    private readonly ApplyResult[] _results = new ApplyResult[8];

    /// <summary>
    /// Opens to read only and compares everything; null: there is no database, or none yet that could be read.
    /// </summary>
    public (Line Line, LineState State)? Look(Expectation expected, bool nothingIsLost)
    {
        try
        {
            using var machine = LsmStateMachine.Open(
                Life.Directory, Life.Options with { ReadOnly = true }, new EngineSeams(disk, new ManualScheduler()));
            return Match(machine, expected, nothingIsLost);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return expected.Find(0, state => state.Rows.Length == 0, nothingIsLost) is null
                ? throw new WrongRecoveryException($"no database, expected {expected}", e)
                : null;
        }
    }

    /// <summary>Recovers for writing, closes, recovers again and applies, and recovers a third time.</summary>
    public void LookWhole(Expectation expected, bool nothingIsLost, Durability durability)
    {
        var seen = Look(expected, nothingIsLost);
        var options = Life.Options with { Durability = durability };
        if (disk.DirectoryExists("/data")) disk.CreateDirectory("/data");
        using (var machine = LsmStateMachine.Open(
            Life.Directory, options, new EngineSeams(disk, new ManualScheduler())))
        {
            var found = Match(machine, expected, nothingIsLost);
            if (seen is { } before && !ReferenceEquals(before.State, found.State))
                throw new WrongRecoveryException(
                    $"read-only it was {before.State.Id}, to write it is {found.State.Id}");
            seen = found;
        }

        var (line, state) = seen!.Value;
        LineState next;
        using (var machine = LsmStateMachine.Open(
            Life.Directory, options, new EngineSeams(disk, new ManualScheduler())))
        {
            var again = new Expectation(
                new Allowed(line, line.Ends.IndexOf(state), line.Ends.IndexOf(state), line.Ends.IndexOf(state)));
            Match(machine, again, nothingIsLost: true);
            Duplicates(machine, line, state);
            var on = line.From(state, 250);
            var chunk = on.Next(3);
            next = on.Last;
            machine.ApplyChunk(chunk, _results, next.Mark);
            if (Compare(machine, next) is { } difference)
                throw new WrongRecoveryException($"after an apply at {state.Id}: {difference}");
        }

        using var third = LsmStateMachine.Open(Life.Directory, options, new EngineSeams(disk, new ManualScheduler()));
        if (Compare(third, next) is { } last)
            throw new WrongRecoveryException($"at the third recovery, after an apply at {state.Id}: {last}");
    }

    /// <summary>Asserts that the open database is in one of the allowed states.</summary>
    public static (Line Line, LineState State) Match(LsmStateMachine machine, Expectation expected, bool nothingIsLost)
    {
        string? difference = null;
        var found = expected.Find(
            machine.LastApplied.Index, state => (difference = Compare(machine, state)) is null, nothingIsLost)
            ?? throw new WrongRecoveryException(
                $"recovered {machine.LastApplied}, expected {expected}{(nothingIsLost ? ", nothing lost" : "")}: "
                    + $"{difference ?? "no such state"}");
        return FeedAfterCrash.Compare(machine, found.State) is { } wrong
            ? throw new WrongRecoveryException($"changes of {found.State.Id}: {wrong}") : found;
    }

    /// <summary>The difference, or null.</summary>
    public static string? Compare(LsmStateMachine machine, LineState state)
    {
        if (machine.LastApplied != state.Id) return $"the applied entry is {machine.LastApplied}, not {state.Id}";
        if (state.Id.Index > 0 && machine.EntryTerm(state.Id.Index) != state.Id.Term)
            return $"the term of entry {state.Id.Index} is {machine.EntryTerm(state.Id.Index)}";
        if (!Life.MarkOf(machine).AsSpan().SequenceEqual(state.Mark)) return "the mark is another";
        var rows = state.Rows;
        using (var view = machine.OpenView())
        {
            var mark = new byte[64];
            if (!mark.AsSpan(0, view.ReadMark(mark)).SequenceEqual(state.Mark)) return "the view's mark is another";
            var i = 0;
            foreach (var entry in view.ScanPrefix([]))
            {
                if (i == rows.Length) return "there is more than there should be";
                if (!entry.Key.SequenceEqual(rows[i].Key)) return $"row {i} is another key";
                if (!entry.Value.SequenceEqual(rows[i].Value)) return $"row {i} has another value";
                i++;
            }

            if (i != rows.Length) return $"{rows.Length - i} rows are missing";
        }

        return machine.Count == rows.Length ? null : $"the count is {machine.Count}, not {rows.Length}";
    }

    private void Duplicates(LsmStateMachine machine, Line line, LineState state)
    {
        var count = (int)Math.Min(5, state.Id.Index);
        if (count == 0) return;
        machine.ApplyChunk(line.Again(state, count), _results);
        for (var i = 0; i < count; i++)
            if (_results[i].Succeeded != line.Outcome(_results[i].Index))
                throw new WrongRecoveryException($"the outcome of entry {_results[i].Index} is another than it was");
    }
}
