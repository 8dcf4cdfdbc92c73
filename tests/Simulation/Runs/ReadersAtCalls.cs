using Varve.Tests.Shared;
using Varve.Tests.Simulation.Crash;
using Varve.Tests.Simulation.Disk;
using Varve.Tests.Simulation.Lives;

namespace Varve.Tests.Simulation.Runs;

/// <summary>
/// Read-only engines on the disk of a life, which open, read and catch up just before a call of the writer: at every call, or every n-th. What
/// each shows is a state that a recovery at that moment could find, and it shows that until it catches up, to the end of the life.
/// </summary>
internal static class ReadersAtCalls
{
    /// <summary><c>--every N</c>: only before every n-th call; <c>--lives N</c>: of so many random lives, beside the fixed ones.</summary>
    public static Task Run(Soak soak)
    {
        var every = soak.Number("every", 1);
        var random = soak.Number("lives", 0);
        var durabilities = Enum.GetValues<Durability>();
        var scripts = KthError.Scripts.ToList();
        for (ulong i = 0; i < (ulong)random; i++) scripts.Add(Step.Life(soak.Seed + i, 40));
        var tally = new Tally();
        Workers.Run(soak, number =>
        {
            if (number >= scripts.Count * durabilities.Length) return false;
            var durability = durabilities[number % durabilities.Length];
            using var life = new Life(scripts[(int)number / durabilities.Length], durability, historyEntries: 50) { Name = $"script {number / durabilities.Length}" };
            Live(life, every, (long)(CrashPoint.Mix(soak.Seed + (ulong)number) % (ulong)every), tally);
            soak.Progress(() => $"{number:N0} lives: {tally}");
            return true;
        });
        soak.Write($"{scripts.Count * durabilities.Length:N0} lives: {tally}");
        return Task.CompletedTask;
    }

    /// <summary>One life with readers before every n-th call of its writer.</summary>
    public static void Live(Life life, long every, long first, Tally tally)
    {
        using var readers = new Readers(life, tally);
        var call = 0L;
        var isReading = false; // their own calls are not met
        life.Disk.Faults.Before = (_, _) =>
        {
            if (isReading || (call++ - first) % every != 0) return;
            isReading = true;
            readers.Look();
            isReading = false;
        };
        try
        {
            life.Go();
            if (life.Failures.Count > 0) throw life.Failures[0];
            isReading = true;
            readers.Look();
        }
        catch (Exception e)
        {
            throw new WrongRecoveryException($"{life}, call {call}", e);
        }
        finally
        {
            life.Disk.Faults.Before = null;
        }
    }

    internal sealed class Tally
    {
        private long opens;
        private long catchUps;
        private long looks;

        public void Opened() => Interlocked.Increment(ref opens);

        public void CaughtUp() => Interlocked.Increment(ref catchUps);

        public void Looked() => Interlocked.Increment(ref looks);

        public override string ToString() => $"{opens:N0} opens and {catchUps:N0} catch-ups beside a writer, {looks:N0} whole states compared";
    }

    /// <summary>Two readers that stay, one of which catches up at every look, and one that comes for it.</summary>
    private sealed class Readers(Life life, Tally tally) : IDisposable
    {
        private const int LooksKept = 7;
        private LsmStateMachine? follower;
        private LsmStateMachine? still;
        private LineState? followed;
        private LineState? stood;
        private int looks;

        public void Look()
        {
            if (follower is null)
            {
                (follower, followed) = Open();
                return;
            }

            Compare(follower, followed!);
            follower.TryCatchUp();
            tally.CaughtUp();
            followed = Match(follower);
            if (still is not null) Compare(still, stood!);
            if (looks++ % LooksKept != 0) return;
            still?.Dispose();
            (still, stood) = Open();
        }

        public void Dispose()
        {
            follower?.Dispose();
            still?.Dispose();
        }

        /// <summary>None while there is no database yet.</summary>
        private (LsmStateMachine?, LineState?) Open()
        {
            try
            {
                var reader = LsmStateMachine.Open(Life.Directory, Life.Options(life.Disk) with { ReadOnly = true });
                tally.Opened();
                return (reader, Match(reader));
            }
            catch (Exception e) when (follower is null && e is FileNotFoundException or DirectoryNotFoundException)
            {
                return default;
            }
        }

        private LineState Match(LsmStateMachine reader)
        {
            tally.Looked();
            return Oracle.Match(reader, life.Expected, nothingIsLost: true).State;
        }

        private void Compare(LsmStateMachine reader, LineState state)
        {
            tally.Looked();
            if (Oracle.Compare(reader, state) is { } difference) throw new WrongRecoveryException($"a reader at {state.Id} shows something else: {difference}");
        }
    }
}
