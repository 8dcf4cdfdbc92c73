using FsCheck.Xunit;
using Varve.Format;
using Varve.Versions;
using Xunit;

namespace Varve.Tests.Engine.Versions;

/// <summary>
/// The outcomes of at least the latest entries are known, with gaps in their indexes too; of others nothing is made up.
/// </summary>
public class OutcomeLogTests
{
    [Property(MaxTest = 300)]
    public void KnowsLatestOutcomesAndInventsNone(int seed)
    {
        var random = new Random(seed);
        var kept = random.Next(1, 300);
        var log = new OutcomeLog(kept, []);
        var model = Fill(log, random, random.Next(1, 1500));
        AssertKnows(log, model, kept, mayKnowMore: true);
    }

    [Property(MaxTest = 300)]
    public void OutcomesSavedUpToIndexAreRestored(int seed)
    {
        var random = new Random(seed);
        var kept = random.Next(64, 300);
        var log = new OutcomeLog(kept * 2, []);
        var model = Fill(log, random, random.Next(1, kept * 2));
        var cut = model[random.Next(model.Count)].Index;
        var saved = log.UpTo(cut, kept);
        Assert.True(saved.Sum(run => run.Count) <= kept);
        var again = new OutcomeLog(kept, saved);
        AssertKnows(again, [.. model.Where(entry => entry.Index <= cut)], kept, mayKnowMore: false);
        var next = new MachineState { LastIndex = model[^1].Index, Outcomes = saved };
        Assert.True(MachineStateCodec.TryDecode(MachineStateCodec.Encode(next), out _, out var error), error.Reason);
    }

    [Fact]
    public void EmptyLogKnowsNoOutcome()
    {
        var log = new OutcomeLog(10, []);
        Assert.Null(log.Find(0));
        Assert.Null(log.Find(ulong.MaxValue));
        Assert.Empty(log.UpTo(ulong.MaxValue, 10));
    }

    [Fact]
    public void MaximalIndexIsAccepted()
    {
        var log = new OutcomeLog(10, []);
        log.Add(5, ApplyStatus.Applied);
        log.Add(ulong.MaxValue, ApplyStatus.Refused);
        Assert.Equal(
            (ApplyStatus.Applied, ApplyStatus.Refused, null), (log.Find(5), log.Find(ulong.MaxValue), log.Find(6)));
        Assert.Equal(2, log.UpTo(ulong.MaxValue, 10).Length);
    }

    private static List<(ulong Index, ApplyStatus Status)> Fill(OutcomeLog log, Random random, int entries)
    {
        var model = new List<(ulong Index, ApplyStatus Status)>();
        var index = (ulong)random.Next(3);
        var refusals = random.Next(2) == 0;
        for (var i = 0; i < entries; i++)
        {
            index += random.Next(10) == 0 ? (ulong)random.Next(2, 1000) : 1;
            model.Add((index, (ApplyStatus)random.Next(refusals ? 3 : 2)));
            log.Add(index, model[^1].Status);
        }

        return model;
    }

    private static void AssertKnows(
        OutcomeLog log, List<(ulong Index, ApplyStatus Status)> model, int kept, bool mayKnowMore)
    {
        foreach (var (index, status) in model.TakeLast(kept)) Assert.Equal(status, log.Find(index));
        foreach (var (index, status) in model.SkipLast(kept))
        {
            if (log.Find(index) is not { } answer) continue;
            Assert.True(mayKnowMore || kept < 64 || model.Count <= 512);
            Assert.Equal(status, answer);
        }

        var known = model.Select(entry => entry.Index).ToHashSet();
        for (var index = model[0].Index; index <= model[^1].Index + 3; index++)
            if (!known.Contains(index)) Assert.Null(log.Find(index));
    }
}
