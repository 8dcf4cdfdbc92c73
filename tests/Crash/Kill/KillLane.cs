using Varve.Tests.Crash.Child;
using Varve.Tests.Crash.Children;

namespace Varve.Tests.Crash.Kill;

/// <summary>Counts of a loop of kills.</summary>
internal sealed class KillFigures
{
    private long _kills;
    private long _opening;
    private long _disturbed;
    private long _closing;
    private long _verified;
    private long _entries;

    public long Kills => Interlocked.Read(ref _kills);

    public void Count(bool wasOpening, bool wasDisturbed, bool wasClosing)
    {
        Interlocked.Increment(ref _kills);
        if (wasOpening) Interlocked.Increment(ref _opening);
        if (wasDisturbed) Interlocked.Increment(ref _disturbed);
        if (wasClosing) Interlocked.Increment(ref _closing);
    }

    public void Verified() => Interlocked.Increment(ref _verified);

    public void Entry(long count) => Interlocked.Add(ref _entries, count);

    public override string ToString() =>
        $"{_kills} kills ({_opening} while it opened, {_disturbed} at a flush, compaction, snapshot, reset or install, "
            + $"{_closing} while it closed), "
        +
        $"{_verified} states verified, {_entries} acknowledgements, 0 lost, 0 inexact";
}

/// <summary>
/// One database, killed again and again. A kill while it opens is followed by another without a look between, so that
/// recovery itself is interrupted up to three times; otherwise the state is verified and must be one that the promise
/// allows.
/// </summary>
internal sealed class KillLane(
    ChildProgram program, string root, string durability, ulong seed, bool isEarly, KillFigures figures)
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

    private readonly Random _random = new((int)(seed & int.MaxValue));
    private readonly EngineOptions _options = KillChild.Options(durability);
    private int _databases;
    private string _directory = "";
    private ulong _logSeed;
    private AllowedStates _promise = new(0);
    private SeededModel _model = new(0, new EngineOptions());
    private int _recoveriesCut;

    public async Task RunAsync(Func<bool> isWanted)
    {
        Begin();
        while (isWanted())
        {
            var moment = Choose();
            await KillAsync(moment);
            if (moment == Moment.Opening && _recoveriesCut++ < RecoveriesCutMax) continue;
            _recoveriesCut = 0;
            await VerifyAsync();
            if (_promise.Applied > EntriesMax) Begin();
        }
    }

    private void Begin()
    {
        Remove();
        _directory = Path.Combine(root, $"{durability}-{seed}-{_databases++}");
        Directory.CreateDirectory(root);
        _logSeed = seed + (ulong)_databases;
        _promise = new AllowedStates(_logSeed);
        _model = new SeededModel(_logSeed, _options);
    }

    private Moment Choose() => durability == KillChild.Journal
        ? Moment.Applying
        : _random.Next(20) switch
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
            Moment.Applying => _random.Next(1, 60),
            Moment.Disturbing => _random.Next(1, 10),
            _ => 1,
        };
        var (last, acknowledged) = (default(MessageKind), 0L);
        var rounds = moment == Moment.Closing ? _random.Next(1, 60) : 0;
        using var child = new ChildProcess(
            program,
            KillChild.Arguments(_directory, durability, _logSeed, (ulong)_random.NextInt64(), rounds, isEarly),
            message =>
            {
                _promise.Hear(message);
                last = message.Kind;
                if (message.Kind == MessageKind.Applied) acknowledged++;
            },
            message => IsIt(moment, message.Kind) && --left == 0);
        if (!await child.AwaitAsync())
        {
            await child.EndAsync();
            throw new ForbiddenStateException($"The child ended by itself: {await child.ErrorsAsync()}");
        }

        Pause.Random(_random, moment switch
        {
            Moment.Opening => 60,
            Moment.Disturbing => 4,
            Moment.Closing => 6,
            _ => 0.2,
        });
        var code = await child.KillAsync();
        if (code is not (137 or 0))
            throw new ForbiddenStateException(
                $"The child died of itself with code {code}: {await child.ErrorsAsync()}");
        figures.Entry(acknowledged);
        figures.Count(
            last == MessageKind.Opening, last == MessageKind.Disturbing,
            last is MessageKind.Closing or MessageKind.Closed);
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
            using var journal = new JournalMachine(_directory, _options);
            _promise.Found(journal.Machine.LastApplied.Index);
            await _model.VerifyAsync(journal.Machine);
        }
        else
        {
            using var engine = LsmStateMachine.Open(_directory, _options);
            _promise.Found(engine.LastApplied.Index);
            await _model.VerifyAsync(engine);
        }

        figures.Verified();
    }

    private void Remove()
    {
        if (_directory.Length == 0) return;
        foreach (var path in Directory.GetDirectories(root, Path.GetFileName(_directory) + "*"))
            Directory.Delete(path, recursive: true);
    }
}
