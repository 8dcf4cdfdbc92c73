using Varve.Tests.Crash.Children;
using Varve.Tests.Crash.Kill;

namespace Varve.Tests.Crash.Calls;

/// <summary>What a scenario acts on: an engine in a directory, and the words that it says on the way.</summary>
internal sealed class Stage(string directory, EngineOptions options, ulong seed, Action<MessageKind, ulong> say) : IDisposable
{
    private const int ChunksMax = 2_000;

    public string Directory => directory;

    public string SourcePath => directory + ".source";

    public string SnapshotPath => directory + ".snapshot";

    public string PackPath => directory + ".pack";

    public EngineOptions Options => options;

    public SnapshotMetadata? Snapshot { get; set; }

    public LsmStateMachine? Engine { get; private set; }

    public LsmStateMachine Opened => Engine ?? throw new InvalidOperationException("The scenario has not opened it.");

    public void Say(MessageKind kind, ulong value = 0) => say(kind, value);

    public void Open()
    {
        Say(MessageKind.Opening);
        Engine = LsmStateMachine.Open(directory, options);
        Say(MessageKind.Applied, Engine.LastApplied.Index);
    }

    public void Apply(int chunks)
    {
        for (; chunks > 0; chunks--)
        {
            ApplyTo(Opened, 1);
            Say(MessageKind.Applied, Opened.LastApplied.Index);
        }
    }

    public void ApplyUntil(Func<EngineStatistics, bool> isEnough)
    {
        for (var i = 0; !isEnough(Opened.GetStatistics()); i++)
        {
            if (i == ChunksMax) throw new InvalidOperationException("It was never enough.");
            Apply(1);
        }
    }

    /// <summary>Something that the seeded log made elsewhere, further than this stage is.</summary>
    public void WithSource(int chunks, Action<LsmStateMachine> use)
    {
        using var source = LsmStateMachine.Open(SourcePath, options);
        ApplyTo(source, chunks);
        use(source);
    }

    public void Close()
    {
        Engine?.Dispose();
        Engine = null;
    }

    public void Dispose() => Close();

    /// <summary>Applies without a word.</summary>
    public void ApplyTo(LsmStateMachine engine, int chunks)
    {
        for (; chunks > 0; chunks--)
        {
            var chunk = SeededLog.ChunkFrom(seed, engine.LastApplied.Index + 1);
            engine.ApplyChunk(chunk, new ApplyResult[chunk.Length]);
        }
    }
}
