using Varve.Epochs;
using Varve.Tests.Schedules.Control;
using Xunit;

namespace Varve.Tests.Schedules;

/// <summary>The scheduler's promises, on threads so small that all their schedules are known.</summary>
public class SchedulerTests
{
    [Fact]
    public void EveryInterleavingIsRunOnce()
    {
        var seen = new HashSet<string>();
        var exhaustion = new Exhaustion(
            "marks",
            () => new Small(marks => [() => Mark(marks, "abc"), () => Mark(marks, "xyz")], marks => seen.Add(marks)),
            bound: 99);
        Assert.Null(exhaustion.Run(workers: 1));
        Assert.Equal(20, seen.Count); // 6 over 3
        Assert.Equal(20, exhaustion.Schedules);
    }

    [Fact]
    public void ThreadsRunSeriallyWithoutPreemptions()
    {
        var seen = new HashSet<string>();
        var exhaustion = new Exhaustion(
            "marks",
            () => new Small(marks => [() => Mark(marks, "abc"), () => Mark(marks, "xyz")], marks => seen.Add(marks)),
            bound: 0);
        Assert.Null(exhaustion.Run(workers: 1));
        Assert.Equal(["abcxyz", "xyzabc"], seen.Order());
    }

    [Fact]
    public void LostUpdateIsFound()
    {
        var sum = 0;
        var exhaustion = new Exhaustion(
            "sum",
            () =>
            {
                sum = 0;
                return new Small(_ => [Add, Add], _ => Assert.Equal(2, sum));
            },
            bound: 1);
        Assert.NotNull(exhaustion.Run(workers: 1));

        void Add() => Volatile.Write(ref sum, Volatile.Read(ref sum) + 1);
    }

    [Fact]
    public void LockOrderInversionIsFound()
    {
        var exhaustion = new Exhaustion(
            "locks",
            () =>
            {
                var (a, b) = (new Lock(), new Lock());
                return new Small(_ => [() => Nest(a, b), () => Nest(b, a)], static _ => { });
            },
            bound: 1);
        var finding = exhaustion.Run(workers: 1);
        Assert.Contains("Nobody can run", finding!.Failure.Message, StringComparison.Ordinal);

        static void Nest(Lock outer, Lock inner)
        {
            lock (outer)
            {
                lock (inner)
                {
                }
            }
        }
    }

    [Fact]
    public void LockExcludesOthers()
    {
        var inside = 0;
        var exhaustion = new Exhaustion(
            "lock",
            () =>
            {
                var one = new Lock();
                return new Small(_ => [() => Enter(one), () => Enter(one)], static _ => { });
            },
            bound: 99);
        Assert.Null(exhaustion.Run(workers: 1));

        void Enter(Lock one)
        {
            lock (one)
            {
                Assert.Equal(1, ++inside);
                Controlled.Current!.Point("inside", "", 0);
                inside--;
            }
        }
    }

    [Fact]
    public void WrongLockOrderIsFoundOnOneThread()
    {
        var (gate, sync) = (new RankedLock(LockOrder.Gate), new RankedLock(LockOrder.Sync));
        Assert.Null(FailureOf(() => Nest(sync, gate)));
        Assert.IsType<FailedAssertException>(FailureOf(() => Nest(gate, sync)));
        Assert.Null(FailureOf(() => Nest(gate, gate)));

        static void Nest(RankedLock outer, RankedLock inner)
        {
            using (outer.Enter())
            using (inner.Enter())
            {
            }
        }
    }

    [Fact]
    public void FailedAssertionIsFoundAlthoughCodeCatchesIt()
    {
        var gate = new RankedLock(LockOrder.Gate);
        Assert.Null(FailureOf(() => { using (gate.Enter()) LockOrder.Gate.AssertHeld(); }));
        Assert.IsType<FailedAssertException>(FailureOf(() =>
        {
            try
            {
                LockOrder.Gate.AssertHeld();
            }
            catch (FailedAssertException)
            {
            }
        }));
    }

    private static Exception? FailureOf(Action body)
    {
        var exhaustion = new Exhaustion("locks", () => new Small(_ => [body], static _ => { }), bound: 0);
        return exhaustion.Run(workers: 1)?.Failure;
    }

    private static void Mark(System.Text.StringBuilder marks, string letters)
    {
        foreach (var letter in letters)
        {
            marks.Append(letter);
            if (letter != letters[^1]) Controlled.Current!.Point("mark", "", 0);
        }
    }

    private sealed class Small(Func<System.Text.StringBuilder, Action[]> threads, Action<string> judge) : Scenario
    {
        private readonly System.Text.StringBuilder _marks = new();

        public override void Prepare(Scheduler scheduler) => Threads = threads(_marks);

        public override void Finish(Scheduler scheduler) => judge(_marks.ToString());
    }
}
