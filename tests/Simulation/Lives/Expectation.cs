namespace Varve.Tests.Simulation.Lives;

/// <summary>
/// The states that a recovery may find from a moment on: those of one line between two ends of chunks, or of another
/// line if a replacement is under way.
/// </summary>
internal sealed record Expectation(params Allowed[] Allowed)
{
    /// <summary>The state of an index that is allowed and matches, and its line; null: there is none.</summary>
    public (Line Line, LineState State)? Find(ulong index, Func<LineState, bool> matches, bool nothingIsLost)
    {
        foreach (var (line, first, acknowledged, last) in Allowed)
        {
            for (var i = nothingIsLost ? acknowledged : first; i <= last; i++)
                if (line.Ends[i].Id.Index == index && matches(line.Ends[i])) return (line, line.Ends[i]);
        }

        return null;
    }

    public override string ToString() => string.Join(" or ", Allowed.Select(range =>
        $"{range.Line.Ends[range.First].Id.Index}..{range.Line.Ends[range.Acknowledged].Id.Index} "
            + $"acknowledged..{range.Line.Ends[range.Last].Id.Index}"));
}

/// <summary>
/// The ends from the first, which power loss may not go behind, by the acknowledged one, which a process's death may
/// not, to the last one logged.
/// </summary>
internal readonly record struct Allowed(Line Line, int First, int Acknowledged, int Last);

/// <summary>
/// In the journal: a snapshot is being made; if its directory is there after a power loss, it is whole.
/// </summary>
internal sealed record SnapshotBegun(SnapshotTaken Snapshot);

/// <summary>In the journal: a snapshot is acknowledged, and is there and whole from here on.</summary>
internal sealed record SnapshotKept(SnapshotTaken Snapshot);

/// <summary>A snapshot of a life.</summary>
internal sealed class SnapshotTaken(string path, Line line, LineState state)
{
    public string Path { get; } = path;

    public Line Line { get; } = line;

    public LineState State { get; } = state;

    public SnapshotMetadata? Metadata { get; set; }
}

/// <summary>In the journal: the database has been made.</summary>
internal sealed record Opened;
