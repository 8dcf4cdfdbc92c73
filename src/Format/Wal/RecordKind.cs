namespace Varve.Format;

/// <summary>
/// The kind of a version of a key, in WAL operations and table rows alike. Effects are stored, not commands: a
/// successful compare-and-swap is a put. The values are frozen: they are on disk.
/// </summary>
internal enum RecordKind : byte
{
    /// <summary>A value without expiry.</summary>
    Put = 1,

    /// <summary>A value with an absolute deadline in Unix milliseconds.</summary>
    LeasedPut = 2,

    /// <summary>The key was deleted; hides older versions.</summary>
    Tombstone = 3,
}
