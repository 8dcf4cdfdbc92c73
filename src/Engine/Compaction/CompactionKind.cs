namespace Varve.Compaction;

/// <summary>The way in which chosen runs become one.</summary>
internal enum CompactionKind
{
    /// <summary>No compaction is due.</summary>
    None,

    /// <summary>Their rows are merged into new tables.</summary>
    Merge,

    /// <summary>Their tables become one run as they are: their key ranges are disjoint.</summary>
    TrivialMove,
}
