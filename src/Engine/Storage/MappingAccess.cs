namespace Varve.Storage;

/// <summary>The use of a mapping.</summary>
internal enum MappingAccess
{
    /// <summary>Read-only. The kernel may use huge pages and read ahead.</summary>
    Table,

    /// <summary>
    /// Read only, like <see cref="Table"/>, for small reads far apart: no read-ahead, also through the file object.
    /// </summary>
    ProbedTable,

    /// <summary>
    /// Read and write. <see cref="IMapping.Populate"/> faults pages in; mapping does not, since it would dirty them
    /// all.
    /// </summary>
    Segment,

    /// <summary>
    /// Read and write, like <see cref="Segment"/>, for small syncs: no read-ahead and 4 KiB pages, because a sync
    /// writes whole pages.
    /// </summary>
    SyncedSegment,
}
