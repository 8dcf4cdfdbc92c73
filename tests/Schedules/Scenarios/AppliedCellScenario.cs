using Varve.Format;
using Varve.Tests.Schedules.Control;
using Varve.Versions;
using Varve.Wal;

namespace Varve.Tests.Schedules.Scenarios;

/// <summary>
/// A publisher wraps around the ring while a reader copies a slot: the reader sees one position, never older than the
/// one before.
/// </summary>
internal sealed class AppliedCellScenario : Scenario
{
    private const int Operations = 4;
    private const int PublishesPerOperation = 6; // 24: more than once round

    private AppliedPosition _cell = null!;

    public override void Prepare(Scheduler scheduler)
    {
        _cell = new AppliedPosition(At(1), MarkAt(1));
        Threads = [Publish, Read];
    }

    private static LogPosition At(ulong n) => new(n, n * 3, n * 5, n * 7);

    /// <summary>A mark of 8 words, all the position's; none at every third.</summary>
    private static LogMark MarkAt(ulong n) =>
        n % 3 == 0 ? default : LogMark.OfWords(LogMark.LengthMax, [n, n, n, n, n, n, n, n]);

    private void Publish()
    {
        for (ulong n = 2; n < 2 + Operations * PublishesPerOperation; n++) _cell.Publish(At(n), MarkAt(n));
    }

    private void Read()
    {
        var before = 0UL;
        for (var i = 0; i < Operations; i++)
        {
            var position = _cell.Read(out var mark);
            Expect(mark == MarkAt(position.Index), "a mark of another position");
            Expect(position.Equals(At(position.Index)), "a torn position");
            Expect(position.Index >= before, "a position older than the one before");
            before = _cell.Index;
            Expect(before >= position.Index, "an index older than the position before");
        }
    }
}
