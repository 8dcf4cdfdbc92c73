namespace Varve.Recovery;

/// <summary>The part of the recovered log that an open for writing syncs before it appends.</summary>
internal enum StartSync
{
    /// <summary>Nothing. The part that is not known to be durable is marked dirty for the next sync.</summary>
    Nothing,

    /// <summary>From the offset up to which the log is known to be durable, to its end.</summary>
    Unsynced,

    /// <summary>All records of all segments.</summary>
    WholeLog,
}
