namespace Varve.Tests.Schedules.Control;

/// <summary>
/// Given departures, and a note of what else there was to choose: replay, and the branches of an exhaustive search.
/// </summary>
internal sealed class GivenPlan : IPlan
{
    private readonly List<(int Step, int Others, bool IsForced)> _branches = [];
    private Decision[] _schedule = [];
    private int _at;
    private int _notedFrom;

    /// <summary>The other choices at the steps after the last preemption.</summary>
    public IReadOnlyList<(int Step, int Others, bool IsForced)> Branches => _branches;

    public bool IsUsedUp => _at == _schedule.Length;

    public int NextStep { get; private set; }

    public void Begin(Decision[] schedule, bool notesBranches)
    {
        _schedule = schedule;
        _at = 0;
        _branches.Clear();
        _notedFrom = notesBranches ? (schedule.Length == 0 ? 0 : schedule[^1].Step + 1) : int.MaxValue;
        NextStep = schedule.Length == 0 ? _notedFrom : schedule[0].Step;
    }

    public int Choose(int step, int options, int standard, bool isForced)
    {
        if (_at < _schedule.Length && _schedule[_at].Step == step)
        {
            var choice = _schedule[_at++].Choice;
            NextStep = _at < _schedule.Length ? _schedule[_at].Step : _notedFrom;
            if ((options >> choice & 1) == 0)
                throw new InvalidOperationException(
                    $"The schedule does not fit: {choice} is no choice at step {step}.");
            return choice;
        }

        if (step >= _notedFrom)
        {
            NextStep = step + 1;
            var others = options & ~(1 << standard);
            if (others != 0) _branches.Add((step, others, isForced));
        }

        return standard;
    }
}
