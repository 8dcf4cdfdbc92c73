using FsCheck.Xunit;
using Varve.Format;
using Varve.Versions;
using Xunit;

namespace Varve.Tests.Engine.Versions;

/// <summary>Every applied entry has its term; indexes that were jumped over have none.</summary>
public class TermTableTests
{
    [Property(MaxTest = 300)]
    public void EveryTermIsFoundAndJumpLeavesHole(int seed)
    {
        var random = new Random(seed);
        var table = new TermTable([]);
        var model = new Dictionary<ulong, ulong>();
        var (last, term) = (0UL, (ulong)random.Next(2));
        for (var i = 0; i < 300; i++)
        {
            if (random.Next(10) == 0) term += (ulong)random.Next(1, 4);
            var next = random.Next(15) == 0 ? last + (ulong)random.Next(2, 50) : last + 1;
            if (next == last + 1) table.Add(next, term);
            else table.AddJump(last, next, term);
            model[next] = term;
            last = next;
        }

        AssertFinds(table, model, last);

        // The truncated table of a manifest answers the same up to its end.
        var cut = model.Keys.Order().ElementAt(random.Next(model.Count));
        var runs = table.UpTo(cut);
        var kept = new TermTable(runs);
        AssertFinds(kept, model.Where(pair => pair.Key <= cut).ToDictionary(), cut);
        var state = new MachineState { LastIndex = cut, LastTerm = model[cut], Terms = runs };
        Assert.True(MachineStateCodec.TryDecode(MachineStateCodec.Encode(state), out _, out var error), error.Reason);
    }

    [Fact]
    public void UnchangedTermTakesOneRun()
    {
        var table = new TermTable([]);
        for (var index = 1UL; index <= 100_000; index++) table.Add(index, 7);
        Assert.Equal([new TermRun(1, 7)], table.UpTo(100_000));
    }

    [Fact]
    public void NoTermIsKnownBelowFirstRun()
    {
        var table = new TermTable([new TermRun(500, 3)]);
        Assert.Null(table.Find(499));
        Assert.Equal(3UL, table.Find(500));
        Assert.Empty(table.UpTo(499));
    }

    private static void AssertFinds(TermTable table, Dictionary<ulong, ulong> model, ulong last)
    {
        for (var index = model.Keys.Min(); index <= last; index++)
            Assert.Equal(model.TryGetValue(index, out var term) ? term : null, table.Find(index));
    }
}
