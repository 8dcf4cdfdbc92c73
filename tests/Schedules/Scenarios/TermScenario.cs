using Varve.Format;
using Varve.Tests.Schedules.Control;
using Varve.Versions;

namespace Varve.Tests.Schedules.Scenarios;

/// <summary>
/// Terms are noted, one of them into a larger table, while another thread looks up those that were noted before.
/// </summary>
internal sealed class TermScenario : Scenario
{
    private const int Operations = 4;
    private const ulong Known = 14; // of 16 places

    private TermTable _terms = null!;
    private ulong _published = Known;

    public override void Prepare(Scheduler scheduler)
    {
        _terms = new TermTable([.. Enumerable.Range(1, (int)Known).Select(n => new TermRun((ulong)n, (ulong)n * 2))]);
        Threads =
        [
            () =>
            {
                for (var n = Known + 1; n <= Known + Operations; n++)
                {
                    _terms.Add(n, n * 2);
                    Volatile.Write(ref _published, n);
                }
            },
            () =>
            {
                for (var i = 0; i < Operations; i++)
                {
                    var published = Volatile.Read(ref _published);
                    Expect(_terms.Find(published) == published * 2, "the term of a published entry is not known");
                    Expect(_terms.Find(1) == 2, "an old term is gone");
                }
            },
        ];
    }
}
