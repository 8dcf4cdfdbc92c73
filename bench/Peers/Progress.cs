using System.Diagnostics;

namespace Varve.Bench.Peers;

/// <summary>One child of a run: a group of rows, an engine, and which time it is.</summary>
internal sealed record Turn(Group Group, string Engine, int Round);

/// <summary>
/// The progress of a run and its remaining time: a turn takes as long as in an earlier round; other turns take their
/// group's estimate, scaled by the engine's turns so far.
/// </summary>
internal sealed class Progress(IReadOnlyList<Turn> plan, TimeSpan limit, long entries)
{
    private readonly Stopwatch _watch = Stopwatch.StartNew();
    private readonly List<Turn> _left = [.. plan];
    private readonly Dictionary<(Group, string), double> _took = [];
    private readonly Dictionary<string, (double Guessed, double Spent)> _engines = [];

    public TimeSpan Elapsed => _watch.Elapsed;

    public string Position => $"{plan.Count - _left.Count + 1}/{plan.Count}";

    public string Outlook => $"{_watch.Elapsed.TotalMinutes:0.0} min done, about {Expected(_left) / 60:0.0} to go";

    public bool HasTimeFor(IReadOnlyList<Turn> turns) =>
        _watch.Elapsed.TotalSeconds + Expected(turns) <= limit.TotalSeconds;

    public void Took(Turn turn, double seconds)
    {
        _left.Remove(turn);
        _took[(turn.Group, turn.Engine)] = seconds;
        var (guessed, spent) = _engines.GetValueOrDefault(turn.Engine);
        _engines[turn.Engine] = (guessed + turn.Group.SecondsOf(entries), spent + seconds);
    }

    public void Drop(Turn turn) => _left.Remove(turn);

    private double Expected(IReadOnlyList<Turn> turns) => turns.Sum(Expected);

    private double Expected(Turn turn)
    {
        if (_took.TryGetValue((turn.Group, turn.Engine), out var before)) return before;
        var factor = _engines.TryGetValue(turn.Engine, out var engine) ? engine.Spent / engine.Guessed : 1;
        return turn.Group.SecondsOf(entries) * factor;
    }
}
