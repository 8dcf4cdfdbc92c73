namespace Varve.Format;

/// <summary>One step from a version to the next: one manifest record, all or nothing.</summary>
internal sealed record VersionEdit
{
    /// <summary>File numbers are below this.</summary>
    public const ulong FileNumberLimit = 1UL << 63;

    /// <summary>
    /// First drop every table of the version before (install, reset, and the first record of a manifest).
    /// </summary>
    public bool Replace { get; init; }

    /// <summary>No file number below this will be given out again; up to <see cref="FileNumberLimit"/>.</summary>
    public required ulong NextFileNumber { get; init; }

    /// <summary>The oldest WAL segment whose records are not yet in tables; older ones are garbage.</summary>
    public required ulong FirstSegment { get; init; }

    /// <summary>The machine's state as of the tables after this edit; null: unchanged (a compaction).</summary>
    public MachineState? State { get; init; }

    /// <summary>Numbers of tables that leave the version.</summary>
    public ulong[] Removed { get; init; } = [];

    /// <summary>Tables that join it.</summary>
    public AddedTable[] Added { get; init; } = [];
}
