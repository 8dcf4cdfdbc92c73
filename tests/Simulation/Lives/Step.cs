namespace Varve.Tests.Simulation.Lives;

/// <summary>A step of a life.</summary>
internal enum StepKind
{
    Apply,
    ApplyLarge,
    Mark,
    Flush,
    Background,
    Compact,
    Snapshot,
    SnapshotBehind,
    Install,
    StagedInstall,
    Reset,
    Clean,
    Reopen,
    SaveHardState,
    Tick,
}

/// <summary>One step: entries in a chunk, how many chunks.</summary>
internal readonly record struct Step(StepKind Kind, int Entries = 1, int Chunks = 1)
{
    /// <summary>A life from a seed: all kinds of steps, weighted so that segments fill and tables gather.</summary>
    public static Step[] Life(ulong seed, int steps)
    {
        var random = new Random((int)(seed ^ (seed >> 32)));
        var life = new List<Step> { new(StepKind.Apply, random.Next(1, 9), 2) };
        for (var i = 0; i < steps; i++)
        {
            life.Add(random.Next(40) switch
            {
                < 13 => new Step(StepKind.Apply, random.Next(1, 41), random.Next(1, 6)),
                < 14 => new Step(StepKind.Mark),
                < 17 => new Step(StepKind.Apply, 40, random.Next(5, 9)),
                < 20 => new Step(StepKind.Flush),
                < 24 => new Step(StepKind.Background),
                < 26 => new Step(StepKind.Compact),
                < 29 => new Step(StepKind.Snapshot),
                < 30 => new Step(StepKind.SnapshotBehind),
                < 31 => new Step(StepKind.Install),
                < 32 => new Step(StepKind.StagedInstall),
                < 33 => new Step(StepKind.Reset),
                < 35 => new Step(StepKind.Clean),
                < 38 => new Step(StepKind.Reopen),
                < 39 => new Step(StepKind.SaveHardState),
                _ => new Step(StepKind.Tick),
            });
            if (i == steps / 2 && seed % 4 == 0) life.Add(new Step(StepKind.ApplyLarge));
        }

        return [.. life];
    }

    public override string ToString() => Kind is StepKind.Apply ? $"{Chunks} x {Entries}" : Kind.ToString();
}
