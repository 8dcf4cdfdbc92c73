using Varve.Recovery;
using Varve.Tests.Crash.Child;
using Varve.Tests.Crash.Children;

namespace Varve.Tests.Crash.Kill;

/// <summary>What a loop of kills did.</summary>
internal sealed class KillFigures
{
    private long kills;
    private long opening;
    private long disturbed;
    private long closing;
    private long verified;
    private long entries;

    public long Kills => Interlocked.Read(ref kills);

    public void Count(bool wasOpening, bool wasDisturbed, bool wasClosing)
    {
        Interlocked.Increment(ref kills);
        if (wasOpening) Interlocked.Increment(ref opening);
        if (wasDisturbed) Interlocked.Increment(ref disturbed);
        if (wasClosing) Interlocked.Increment(ref closing);
    }

    public void Verified() => Interlocked.Increment(ref verified);

    public void Entry(long count) => Interlocked.Add(ref entries, count);

    public override string ToString() =>
        $"{kills} kills ({opening} while it opened, {disturbed} at a flush, compaction, snapshot, reset or install, {closing} while it closed), " +
        $"{verified} states verified, {entries} acknowledgements, 0 lost, 0 inexact";
}

/// <summary>
/// One database, killed again and again. A kill while it opens is followed by another without a look between, so that recovery
/// itself is interrupted up to three times; otherwise the state is verified and must be one that the promise allows.
/// </summary>
internal sealed class KillLane(ChildProgram program, string root, string durability, ulong seed, bool isEarly, KillFigures figures)
{
    private const ulong EntriesMax = 20_000;
    private const int RecoveriesCutMax = 3;

    private enum Moment
    {
        Applying,
        Opening,
        Disturbing,
        Closing,
    }

    private readonly Random random = new((int)(seed & int.MaxValue));
    private readonly EngineOptions options = KillChild.Options(durability);
    private int databases;
    private string directory = "";
    private ulong logSeed;
    private Promise promise = new(0);
    private SeededModel model = new(0, new EngineOptions());
    private int recoveriesCut;

    public async Task RunAsync(Func<bool> isWanted)
    {
        Begin();
        while (isWanted())
        {
            var moment = Choose();
            await KillAsync(moment);
            if (moment == Moment.Opening && recoveriesCut++ < RecoveriesCutMax) continue;
            recoveriesCut = 0;
            await VerifyAsync();
            if (promise.Applied > EntriesMax) Begin();
        }
    }

    private void Begin()
    {
        Remove();
        directory = Path.Combine(root, $"{durability}-{seed}-{databases++}");
        Directory.CreateDirectory(root);
        logSeed = seed + (ulong)databases;
        promise = new Promise(logSeed);
        model = new SeededModel(logSeed, options);
    }

    private Moment Choose() => durability == KillChild.Journal
        ? Moment.Applying
        : random.Next(20) switch
        {
            < 8 => Moment.Applying,
            < 12 => Moment.Opening,
            < 18 => Moment.Disturbing,
            _ => Moment.Closing,
        };

    private async Task KillAsync(Moment moment)
    {
        var left = moment switch
        {
            Moment.Applying => random.Next(1, 60),
            Moment.Disturbing => random.Next(1, 10),
            _ => 1,
        };
        var (last, acknowledged) = (default(MessageKind), 0L);
        var rounds = moment == Moment.Closing ? random.Next(1, 60) : 0;
        using var child = new ChildProcess(
            program,
            KillChild.Arguments(directory, durability, logSeed, (ulong)random.NextInt64(), rounds, isEarly),
            message =>
            {
                promise.Hear(message);
                last = message.Kind;
                if (message.Kind == MessageKind.Applied) acknowledged++;
            },
            message => IsIt(moment, message.Kind) && --left == 0);
        if (!await child.AwaitAsync())
        {
            await child.EndAsync();
            throw new BrokenPromise($"The child ended by itself: {await child.ErrorsAsync()}");
        }

        Pause.Random(random, moment switch
        {
            Moment.Opening => 60,
            Moment.Disturbing => 4,
            Moment.Closing => 6,
            _ => 0.2,
        });
        var code = await child.KillAsync();
        if (code is not (137 or 0)) throw new BrokenPromise($"The child died of itself with code {code}: {await child.ErrorsAsync()}");
        figures.Entry(acknowledged);
        figures.Count(last == MessageKind.Opening, last == MessageKind.Disturbing, last is MessageKind.Closing or MessageKind.Closed);
    }

    private static bool IsIt(Moment moment, MessageKind kind) => kind == moment switch
    {
        Moment.Opening => MessageKind.Opening,
        Moment.Disturbing => MessageKind.Disturbing,
        Moment.Closing => MessageKind.Closing,
        _ => MessageKind.Applied,
    };

    private async Task VerifyAsync()
    {
        if (durability == KillChild.Journal)
        {
            using var journal = new JournalMachine(directory, options);
            promise.Found(journal.Machine.LastApplied.Index);
            await model.VerifyAsync(journal.Machine);
        }
        else
        {
            using var engine = LsmStateMachine.Open(directory, options);
            promise.Found(engine.LastApplied.Index);
            await model.VerifyAsync(engine);
        }

        figures.Verified();
    }

    private void Remove()
    {
        if (directory.Length == 0) return;
        foreach (var path in Directory.GetDirectories(root, Path.GetFileName(directory) + "*")) Directory.Delete(path, recursive: true);
    }
}
