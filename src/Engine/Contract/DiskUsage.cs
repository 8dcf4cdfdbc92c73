namespace Varve;

/// <summary>Disk space that a database takes, in bytes, by kind. Snapshots are not in it.</summary>
public readonly record struct DiskUsage
{
    /// <summary>Segments of the log that an open would read.</summary>
    public long Log { get; init; }

    /// <summary>Tables of the present state.</summary>
    public long Tables { get; init; }

    /// <summary>
    /// Segments and tables that are kept for snapshots behind the last applied entry alone:
    /// <see cref="EngineOptions.HistoryEntries"/>.
    /// </summary>
    public long History { get; init; }

    /// <summary>
    /// Files kept ready for the log and for tables: segments made ahead, and those of
    /// <see cref="EngineOptions.SpareTableBytes"/>.
    /// </summary>
    public long Spare { get; init; }

    /// <summary>The manifest.</summary>
    public long Manifest { get; init; }

    /// <summary>The sum.</summary>
    public long Total => Log + Tables + History + Spare + Manifest;
}
