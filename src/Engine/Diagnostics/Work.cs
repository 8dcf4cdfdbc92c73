namespace Varve.Diagnostics;

/// <summary>Work of an engine that is timed.</summary>
internal enum Work
{
    /// <summary>A memtable becomes a run.</summary>
    Flush,

    /// <summary>Runs are merged; not a trivial move.</summary>
    Compaction,

    /// <summary>A sync of the log.</summary>
    Sync,

    /// <summary>A snapshot is made.</summary>
    Snapshot,

    /// <summary>A snapshot is installed.</summary>
    Install,

    /// <summary>An open recovers the database.</summary>
    Recovery,
}
