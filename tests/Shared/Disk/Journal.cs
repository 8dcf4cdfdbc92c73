namespace Varve.Tests.Shared.Disk;

/// <summary>An event of the disk.</summary>
internal enum SimEventKind
{
    /// <summary>A file or a directory came to be, without a name yet.</summary>
    Made,

    /// <summary>A page was written; it is dirty, even if its content is the same.</summary>
    Stored,

    /// <summary>A file's size changed.</summary>
    Resized,

    /// <summary>A range of a file's dirty pages became durable, and its size if asked for.</summary>
    Synced,

    /// <summary>A sync failed: dirty pages are clean, and any of them may be durable.</summary>
    SyncFailed,

    /// <summary>Names came, went or changed what they name, all of them in one step.</summary>
    Named,

    /// <summary>The names in a directory became durable.</summary>
    DirectorySynced,

    /// <summary>A note of the driver of the disk.</summary>
    Noted,
}

/// <summary>A name in a directory names a node from now on; 0: nothing.</summary>
internal readonly record struct NameChange(int Directory, string Name, int Node);

/// <summary>One step of the disk.</summary>
internal readonly record struct SimEvent(SimEventKind Kind)
{
    public int Node { get; init; }

    public bool IsDirectory { get; init; }

    /// <summary>Stored: the page; synced: the first page.</summary>
    public int Page { get; init; }

    /// <summary>Synced: the page to stop before.</summary>
    public int PageEnd { get; init; }

    public bool WithSize { get; init; }

    public Page? Content { get; init; }

    /// <summary>Stored through a mapping: intermediate contents of the page, which may have reached the disk.</summary>
    public Page?[]? OnTheWay { get; init; }

    public long Size { get; init; }

    public NameChange[]? Names { get; init; }

    public object? Note { get; init; }
}

/// <summary>All steps of a disk in order. Written under the disk's lock.</summary>
internal sealed class Journal
{
    public List<SimEvent> Events { get; } = [];

    public void Add(SimEvent happened) => Events.Add(happened);
}
