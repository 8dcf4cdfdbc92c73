using System.Globalization;

namespace Varve.Tests.Crash.Child;

/// <summary>
/// The process that is killed, or whose disk loses power. It opens a machine, continues the seeded log, and
/// acknowledges each chunk; another thread flushes, compacts and makes snapshots, and at intervals the applier resets
/// and installs.
/// </summary>
internal sealed class KillChild
{
    public const string Verb = "child";
    public const string Journal = "Journal";

    /// <summary>For the test of the test: acknowledges each chunk before it is applied.</summary>
    public const string Early = "early";

    private const int RoundsBetweenDurable = 8;
    private const int RoundsBetweenJumps = 40;

    private readonly string _directory;
    private readonly ulong _seed;
    private readonly int _rounds;
    private readonly bool _isEarly;
    private readonly Random _dice;
    private readonly MessageWriter _parent = new();

    private KillChild(string directory, ulong seed, ulong run, int rounds, bool isEarly)
    {
        _directory = directory;
        _seed = seed;
        _rounds = rounds;
        _isEarly = isEarly;
        _dice = new Random((int)(run & int.MaxValue));
    }

    public static EngineOptions Options(string durability) => new()
    {
        LeaseClock = LeaseClock.Log,
        MemtableBytes = 64 << 10,
        BlockBytes = 1 << 10,
        TableBytes = 64 << 10,
        UpperRunsMax = 3,
        SyncInterval = TimeSpan.FromMilliseconds(5),
        Durability = durability == Journal ? Durability.Process : Enum.Parse<Durability>(durability),
    };

    /// <param name="run">Seeds what disturbs, apart from the log.</param>
    /// <param name="rounds">After so many chunks it closes and ends; 0: never.</param>
    public static string[] Arguments(
        string directory, string durability, ulong seed, ulong run, int rounds, bool isEarly) =>
        [Verb, directory, durability, Text(seed), Text(run), Text((ulong)rounds), isEarly ? Early : ""];

    public static int Start(string[] arguments)
    {
        var (directory, durability) = (arguments[1], arguments[2]);
        var child = new KillChild(
            directory, Number(arguments[3]), Number(arguments[4]), (int)Number(arguments[5]), arguments[6] == Early);
        try
        {
            child.Run(durability);
        }
        catch (Exception e) when (e is EngineFaultedException
            or IOException and not (CorruptionException or UnsupportedFormatException))
        {
            // A disk without power: the engine latches, other calls fail.
            child._parent.Say(e is EngineFaultedException ? MessageKind.Faulted : MessageKind.Failed);
            Console.Error.WriteLine(e);
        }

        return 0;
    }

    private void Run(string durability)
    {
        _parent.Say(MessageKind.Opening);
        var options = Options(durability);
        if (durability == Journal)
        {
            using var journal = new JournalMachine(_directory, options);
            Apply(journal.Machine, journal.Apply, _ => { });
            return;
        }

        var engine = LsmStateMachine.Open(_directory, options);
        var results = new ApplyResult[64];
        var disturber = new Thread(() => Disturb(engine)) { IsBackground = true };
        disturber.Start();
        Apply(engine, chunk => SeededLog.Apply(engine, chunk, results), round => AfterRound(engine, round));
        _parent.Say(MessageKind.Closing);
        engine.Dispose();
        _parent.Say(MessageKind.Closed);
    }

    private void Apply(IStateMachine machine, Action<ApplyEntry[]> apply, Action<int> after)
    {
        _parent.Say(MessageKind.Applied, machine.LastApplied.Index);
        for (var round = 1; _rounds == 0 || round <= _rounds; round++)
        {
            var chunk = SeededLog.ChunkFrom(_seed, machine.LastApplied.Index + 1);
            if (_isEarly) _parent.Say(MessageKind.Applied, chunk[^1].Index);
            apply(chunk);
            if (!_isEarly) _parent.Say(MessageKind.Applied, machine.LastApplied.Index);
            after(round);
        }
    }

    private void AfterRound(LsmStateMachine engine, int round)
    {
        if (round % RoundsBetweenDurable == 0) _parent.Say(MessageKind.Durable, engine.DurableLogId.Index);
        if (_dice.Next(RoundsBetweenJumps) == 0) Jump(engine);
    }

    /// <summary>Resets, applies a little, and installs the earlier state.</summary>
    private void Jump(LsmStateMachine engine)
    {
        var snapshot = Fresh($"{_directory}.jump");
        var at = engine.LastApplied;
        _parent.Say(MessageKind.Disturbing, (ulong)Disturbance.Snapshot);
        var checksum = engine.GenerateSnapshotDataAsync(snapshot, at).GetAwaiter().GetResult();

        _parent.Say(MessageKind.Jumping, 0);
        _parent.Say(MessageKind.Disturbing, (ulong)Disturbance.Reset);
        engine.ResetAsync().GetAwaiter().GetResult();
        _parent.Say(MessageKind.Applied, 0);
        for (var i = _dice.Next(4); i > 0; i--)
        {
            var chunk = SeededLog.ChunkFrom(_seed, engine.LastApplied.Index + 1);
            if (chunk[^1].Index > at.Index) break;
            SeededLog.Apply(engine, chunk, new ApplyResult[chunk.Length]);
            _parent.Say(MessageKind.Applied, engine.LastApplied.Index);
        }

        _parent.Say(MessageKind.Jumping, at.Index);
        _parent.Say(MessageKind.Disturbing, (ulong)Disturbance.Install);
        Install(engine, new SnapshotMetadata(at, checksum), snapshot);
        _parent.Say(MessageKind.Applied, at.Index);
        Directory.Delete(snapshot, recursive: true);
    }

    /// <summary>At once, or staged: sometimes twice, and the first one is not installed.</summary>
    private void Install(LsmStateMachine engine, SnapshotMetadata snapshot, string path)
    {
        var stagings = _dice.Next(3);
        if (stagings == 0)
        {
            engine.ApplySnapshotFromFileAsync(snapshot, path).GetAwaiter().GetResult();
            return;
        }

        if (stagings == 2) engine.StageSnapshotAsync(snapshot, path).GetAwaiter().GetResult().Dispose();
        using var staged = engine.StageSnapshotAsync(snapshot, path).GetAwaiter().GetResult();
        staged.Install();
    }

    private void Disturb(LsmStateMachine engine)
    {
        var choice = new Random(_dice.Next());
        try
        {
            while (true)
            {
                Thread.SpinWait(choice.Next(100_000));
                var what = (Disturbance)choice.Next(3);
                _parent.Say(MessageKind.Disturbing, (ulong)what);
                switch (what)
                {
                    case Disturbance.Flush:
                        engine.Flush();
                        break;
                    case Disturbance.Compact:
                        engine.CompactAsync().GetAwaiter().GetResult();
                        break;
                    default:
                        Snapshot(engine);
                        break;
                }
            }
        }
        catch (Exception e) when (e is ObjectDisposedException or EngineFaultedException
            or IOException and not (CorruptionException or UnsupportedFormatException))
        {
            // Closed; or failed, which the applier finds too.
        }
    }

    private void Snapshot(LsmStateMachine engine)
    {
        var snapshot = Fresh($"{_directory}.snapshot");
        try
        {
            engine.GenerateSnapshotDataAsync(snapshot, engine.LastApplied).GetAwaiter().GetResult();
        }
        catch (ArgumentException)
        {
            return; // the applier reset it meanwhile
        }
        catch (OperationCanceledException)
        {
            return; // closed meanwhile
        }
        catch (IOException e) when (e is not VarveException)
        {
            return; // a disk that is gone; if the engine is harmed, the next call says so
        }

        if (Directory.Exists(snapshot)) Directory.Delete(snapshot, recursive: true);
    }

    private static string Fresh(string path)
    {
        if (Directory.Exists(path)) Directory.Delete(path, recursive: true);
        return path;
    }

    private static ulong Number(string text) => ulong.Parse(text, CultureInfo.InvariantCulture);

    private static string Text(ulong number) => number.ToString(CultureInfo.InvariantCulture);
}
