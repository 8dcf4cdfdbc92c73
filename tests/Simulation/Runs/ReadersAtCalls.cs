using Varve.Background;
using Varve.Tests.Shared;
using Varve.Tests.Shared.Disk;
using Varve.Tests.Simulation.Crash;
using Varve.Tests.Simulation.Lives;

namespace Varve.Tests.Simulation.Runs;

/// <summary>
/// Read-only engines on the disk of a life, which open, read and catch up just before a call of the writer: at every
/// call, or every n-th. What each shows is a state that a recovery at that moment could find, and it shows that until
/// it catches up, to the end of the life.
/// </summary>
internal static class ReadersAtCalls
{
    /// <summary>
    /// <c>--every N</c>: only before every n-th call; <c>--lives N</c>: of so many random lives, beside the fixed ones.
    /// </summary>
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
            using var life = new Life(scripts[(int)number / durabilities.Length], durability, historyEntries: 50)
            {
                Name = $"script {number / durabilities.Length}"
            };
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
        private long _opens;
        private long _catchUps;
        private long _looks;

        public void Opened() => Interlocked.Increment(ref _opens);

        public void CaughtUp() => Interlocked.Increment(ref _catchUps);

        public void Looked() => Interlocked.Increment(ref _looks);

        public override string ToString() =>
            $"{_opens:N0} opens and {_catchUps:N0} catch-ups beside a writer, {_looks:N0} whole states compared";
    }

    /// <summary>Two readers that stay, one of which catches up at every look, and one that comes for it.</summary>
    private sealed class Readers(Life life, Tally tally) : IDisposable
    {
        private const int LooksKept = 7;
        private LsmStateMachine? _follower;
        private LsmStateMachine? _still;
        private LineState? _followed;
        private LineState? _stood;
        private int _looks;

        public void Look()
        {
            if (_follower is null)
            {
                (_follower, _followed) = Open();
                return;
            }

            Compare(_follower, _followed!);
            _follower.TryCatchUp();
            tally.CaughtUp();
            _followed = Match(_follower);
            if (_still is not null) Compare(_still, _stood!);
            if (_looks++ % LooksKept != 0) return;
            _still?.Dispose();
            (_still, _stood) = Open();
        }

        public void Dispose()
        {
            _follower?.Dispose();
            _still?.Dispose();
        }

        /// <summary>None while there is no database yet.</summary>
        private (LsmStateMachine?, LineState?) Open()
        {
            try
            {
                var reader = LsmStateMachine.Open(
                    Life.Directory, Life.Options with { ReadOnly = true }, new EngineSeams(life.Disk));
                tally.Opened();
                return (reader, Match(reader));
            }
            catch (Exception e) when (_follower is null && e is FileNotFoundException or DirectoryNotFoundException)
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
            if (Oracle.Compare(reader, state) is { } difference)
                throw new WrongRecoveryException($"a reader at {state.Id} shows something else: {difference}");
        }
    }
}
