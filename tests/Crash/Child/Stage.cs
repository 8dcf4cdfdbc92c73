using Varve.Background;

namespace Varve.Tests.Crash.Child;

/// <summary>
/// The engine and directory that a scenario acts on, with the messages that it sends. Background rounds are stepped and
/// tasks run inline, so that all file system calls come from one thread in a fixed order.
/// </summary>
internal sealed class Stage(string directory, EngineOptions options, ulong seed, Action<MessageKind, ulong> say)
    : IDisposable
{
    private const int ChunksBetweenTicks = 3;
    private const int CompactionRoundsMax = 10;
    private readonly ManualScheduler _steps = new();
    private const int ChunksMax = 2_000;

    public string Directory => directory;

    public string SourcePath => directory + ".source";

    public string SnapshotPath => directory + ".snapshot";

    public string PackPath => directory + ".pack";

    public SnapshotMetadata? Snapshot { get; set; }

    public LsmStateMachine? Engine { get; private set; }

    public LsmStateMachine Opened => Engine ?? throw new InvalidOperationException("The scenario has not opened it.");

    public void Say(MessageKind kind, ulong value = 0) => say(kind, value);

    public void Open()
    {
        Say(MessageKind.Opening);
        Engine = LsmStateMachine.Open(directory, options, new EngineSeams(Scheduler: _steps));
        Say(MessageKind.Applied, Engine.LastApplied.Index);
        _steps.Run();
    }

    public void Apply(int chunks)
    {
        for (; chunks > 0; chunks--)
        {
            ApplyTo(Opened, 1);
            Say(MessageKind.Applied, Opened.LastApplied.Index);
            _steps.Run();
            if (chunks % ChunksBetweenTicks == 0) _steps.Tick();
        }
    }

    public void Compact()
    {
        var compacted = Opened.CompactAsync();
        // A round that failed on a full disk is retried.
        for (var i = 0; i < CompactionRoundsMax && !compacted.IsCompleted; i++) _steps.Tick();
        if (!compacted.IsCompleted) throw new InvalidOperationException("The compaction does not come to its end.");
        compacted.GetAwaiter().GetResult();
    }

    /// <summary>Says where a call left the state that failed.</summary>
    public void SayWhereItStands()
    {
        if (Engine is not null) Say(MessageKind.Standing, Engine.LastApplied.Index);
    }

    /// <summary>The rounds that an interval makes due, or a disk that was full.</summary>
    public void Tick() => _steps.Tick();

    public void ApplyUntil(Func<EngineStatistics, bool> isEnough)
    {
        for (var i = 0; !isEnough(Opened.GetStatistics()); i++)
        {
            if (i == ChunksMax) throw new InvalidOperationException("It was never enough.");
            Apply(1);
        }
    }

    /// <summary>Something that the seeded log made elsewhere, further than this stage is.</summary>
    public void WithSource(int chunks, Action<LsmStateMachine, ManualScheduler> use)
    {
        var rounds = new ManualScheduler();
        using var source = LsmStateMachine.Open(SourcePath, options, new EngineSeams(Scheduler: rounds));
        for (; chunks > 0; chunks--)
        {
            ApplyTo(source, 1);
            rounds.Run();
        }

        use(source, rounds);
    }

    public void Close()
    {
        Engine?.Dispose();
        Engine = null;
    }

    public void Dispose() => Close();

    /// <summary>Applies without a message.</summary>
    public void ApplyTo(LsmStateMachine engine, int chunks)
    {
        for (; chunks > 0; chunks--)
        {
            var chunk = SeededLog.ChunkFrom(seed, engine.LastApplied.Index + 1);
            SeededLog.Apply(engine, chunk, new ApplyResult[chunk.Length]);
        }
    }
}
