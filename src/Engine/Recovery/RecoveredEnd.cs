namespace Varve.Recovery;

/// <summary>The end of the log that an open for writing recovered.</summary>
internal enum RecoveredEnd
{
    /// <summary>The manifest names no first segment yet: the database was made, its first segment was not.</summary>
    NoLog,

    /// <summary>The last record says that the log continues in a segment that holds no record of it.</summary>
    Sealed,

    /// <summary>After the last valid record lie bytes of records that were never durable.</summary>
    TornTail,

    /// <summary>After a whole record, with nothing behind it.</summary>
    Clean,
}
