using Varve.Format;
using Varve.Wal;

namespace Varve.Versions;

/// <summary>
/// One life of the state: from open, install or reset to the next of them. Versions of one incarnation share it, so a reader
/// who has a version has the position that goes with it, also when an install takes the index backward.
/// </summary>
internal sealed class Incarnation
{
    public Incarnation(MachineState state, int outcomes)
    {
        var position = new LogPosition(state.LastIndex, state.LastTerm, state.LogTimeMs, state.LocalTimeMs);
        Applied = new AppliedCell(position);
        Terms = new TermTable(state.Terms);
        Outcomes = new OutcomeLog(outcomes, state.Outcomes);
        Census = new Census(state);
    }

    /// <summary>What readers see.</summary>
    public AppliedCell Applied { get; }

    public TermTable Terms { get; }

    public OutcomeLog Outcomes { get; }

    public Census Census { get; }
}
