namespace Varve.Cli.Data;

/// <summary>Applies commands after the last applied entry, in its term.</summary>
internal static class NextEntry
{
    /// <summary>Makes the entry that follows an index; its timestamp is the system's time.</summary>
    public static ApplyEntry Of(LogId last, Command command) =>
        new(last.Index + 1, Math.Max(last.Term, 1), command, NowMs());

    /// <summary>Applies one command and returns its position.</summary>
    public static LogId Apply(LsmStateMachine engine, Command command)
    {
        var entry = Of(engine.LastApplied, command);
        Span<ApplyResult> results = [default];
        engine.ApplyChunk([entry], results);
        return new LogId(entry.Index, entry.Term);
    }

    /// <summary>The system's time, in Unix milliseconds.</summary>
    public static ulong NowMs() => (ulong)TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds();
}
