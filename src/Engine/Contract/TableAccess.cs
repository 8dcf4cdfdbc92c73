namespace Varve;

/// <summary>The way in which the engine reads the data blocks of tables.</summary>
public enum TableAccess
{
    /// <summary>
    /// Through the mapping alone. The fastest while tables fit in memory. Otherwise page faults read from the device,
    /// and a garbage collection, and with it every thread, waits for a thread in a page fault.
    /// </summary>
    Mapped,

    /// <summary>
    /// Through the mapping, after a system call that finds the block in the page cache or reads it. For data larger
    /// than memory: a garbage collection does not wait for a device, unless the system evicts a page in between. A read
    /// costs one system call for every block, and each table keeps its file open.
    /// <para>
    /// A bad sector throws <see cref="IOException"/>; under <see cref="Mapped"/> it ends the process. On Windows, which
    /// cannot report residency, every read of a block is a system call that reads it. For a file that belongs to
    /// another user and is not writable, Linux reports every page as resident, so access is as under
    /// <see cref="Mapped"/>.
    /// </para>
    /// </summary>
    Probed,
}
