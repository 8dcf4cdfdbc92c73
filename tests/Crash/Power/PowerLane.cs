using Varve.Tests.Crash.Child;
using Varve.Tests.Crash.Children;

namespace Varve.Tests.Crash.Power;

/// <summary>Counts of a loop of power cuts.</summary>
internal sealed class PowerFigures
{
    private readonly Lock _turn = new();
    private readonly SortedDictionary<string, int> _endings = new(StringComparer.Ordinal);

    public int Cuts { get; private set; }

    public int Opening { get; private set; }

    public int Disturbed { get; private set; }

    public int Verified { get; private set; }

    public int LostUnsynced { get; private set; }

    public void Count(MessageKind last, string ending)
    {
        lock (_turn)
        {
            Cuts++;
            if (last == MessageKind.Opening) Opening++;
            if (last == MessageKind.Disturbing) Disturbed++;
            _endings[ending] = _endings.GetValueOrDefault(ending) + 1;
        }
    }

    public void Verify(bool lost)
    {
        lock (_turn)
        {
            Verified++;
            if (lost) LostUnsynced++;
        }
    }

    public override string ToString()
    {
        lock (_turn)
        {
            return $"{Cuts} cuts ({Opening} while it opened, {Disturbed} at a flush, compaction, snapshot, reset or "
                + $"install), {Verified} states verified, "
                + $"{LostUnsynced} of them an earlier index than acknowledged, as allowed; children: "
                + $"{string.Join(", ", _endings.Select(pair => $"{pair.Value} {pair.Key}"))}";
        }
    }
}

/// <summary>One file system that loses power again and again under a child that applies.</summary>
internal sealed class PowerLane(
    ChildProgram program, Ext4Image image, Durability durability, Durability promised, ulong seed, PowerFigures figures)
{
    private const ulong EntriesMax = 10_000;
    private const int CutsWithoutALook = 3;
    private const int SignalBus = 135;

    private readonly Random _random = new((int)(seed & int.MaxValue));
    private readonly EngineOptions _options = KillChild.Options($"{durability}");
    private int _databases;
    private string _directory = "";
    private ulong _logSeed;
    private AllowedStates _promise = new(0);
    private SeededModel _model = new(0, new EngineOptions());

    public async Task RunAsync(Func<bool> isWanted)
    {
        var unseen = 0;
        Begin();
        while (isWanted())
        {
            var awaited = _random.Next(10) switch
            {
                < 5 => MessageKind.Applied,
                < 7 => MessageKind.Opening,
                _ => MessageKind.Disturbing,
            };
            var acknowledged = await CutAsync(awaited);
            image.Unmount();
            image.Mount();
            if (awaited == MessageKind.Opening && unseen++ < CutsWithoutALook) continue;
            unseen = 0;
            await VerifyAsync(acknowledged);
            if (_promise.Applied > EntriesMax) Begin();
        }
    }

    private void Begin()
    {
        if (Directory.Exists(_directory)) Directory.Delete(_directory, recursive: true);
        foreach (var path in Directory.GetDirectories(image.Root, "db*")) Directory.Delete(path, recursive: true);
        _directory = Path.Combine(image.Root, $"db{_databases++}");
        _logSeed = seed + (ulong)_databases;
        _promise = new AllowedStates(_logSeed);
        _model = new SeededModel(_logSeed, _options);
    }

    private async Task<ulong> CutAsync(MessageKind awaited)
    {
        var left = awaited switch
        {
            MessageKind.Applied => _random.Next(1, 80),
            MessageKind.Disturbing => _random.Next(1, 10),
            _ => 1,
        };
        var last = default(MessageKind);
        var isFaulted = false;
        using var child = new ChildProcess(
            program,
            KillChild.Arguments(_directory, $"{durability}", _logSeed, (ulong)_random.NextInt64(), 0, isEarly: false),
            message =>
            {
                _promise.Hear(message);
                if (!isFaulted) last = message.Kind;
                isFaulted |= message.Kind is MessageKind.Faulted or MessageKind.Failed;
            },
            message => message.Kind == awaited && --left == 0);
        if (!await child.AwaitAsync())
        {
            await child.EndAsync();
            throw new ForbiddenStateException($"The child ended before its power did: {await child.ErrorsAsync()}");
        }

        Pause.Random(_random, awaited == MessageKind.Opening ? 60 : 4);
        if (_random.Next(3) == 0) WriteOutSomething();
        var atCut = last;
        _promise.LosePower(promised);
        image.Cut(
            _random.Next(10) switch { < 7 => CutMode.Nothing, < 9 => CutMode.FlushJournal, _ => CutMode.Default });
        Pause.Random(_random, 12);
        var code = await child.KillAsync();
        if (code is not (0 or 137 or SignalBus))
            throw new ForbiddenStateException(
                $"The child died of itself with code {code}: {await child.ErrorsAsync()}");
        figures.Count(atCut, code == SignalBus
            ? "died of a page that could not be read"
            : isFaulted ? "latched or failed"
            : "killed before they noticed");
        return _promise.Applied;
    }

    /// <summary>A few pages of the log reach the disk before those in front of them.</summary>
    private void WriteOutSomething()
    {
        if (!Directory.Exists(_directory)) return;
        foreach (var path in Directory.GetFiles(_directory, "*.wal"))
        {
            try
            {
                Ext4Image.WriteOut(path, _random.Next(16) * 4096L, _random.Next(1, 4) * 4096L);
            }
            catch (IOException)
            {
                // It was recycled meanwhile.
            }
        }
    }

    private async Task VerifyAsync(ulong acknowledged)
    {
        using var engine = LsmStateMachine.Open(_directory, _options);
        _promise.Found(engine.LastApplied.Index);
        await _model.VerifyAsync(engine);
        figures.Verify(engine.LastApplied.Index < acknowledged);
    }
}
