namespace Varve.Cli.Text;

/// <summary>The mark of an outer log as text. A database that has one is written by the owner of that log.</summary>
internal static class MarkText
{
    private const int BytesMax = 64;

    /// <summary>The mark in hexadecimal digits; null if there is none.</summary>
    public static string? Of(LsmStateMachine engine)
    {
        Span<byte> mark = stackalloc byte[BytesMax];
        var length = engine.ReadMark(mark);
        return length == 0 ? null : Convert.ToHexStringLower(mark[..length]);
    }

    /// <summary>Refuses to write a database that a Raft group owns.</summary>
    /// <exception cref="UsageException">The database has a mark.</exception>
    public static void RefuseOwned(LsmStateMachine engine, string directory)
    {
        if (Of(engine) is not { } mark) return;
        throw new UsageException(
            $"{directory}: a Raft group owns this database (its mark is {mark}), and an entry of the tool's takes an "
                + "index of the group's; --force writes all the same");
    }
}
