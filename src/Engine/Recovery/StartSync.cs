namespace Varve.Recovery;

/// <summary>What an open for writing syncs of the recovered log before it appends.</summary>
internal enum StartSync
{
    /// <summary>Nothing; what is not known to be durable is marked dirty for the next sync.</summary>
    Nothing,

    /// <summary>From the offset up to which the log is known to be durable, to its end.</summary>
    Unsynced,

    /// <summary>All records of all segments.</summary>
    WholeLog,
}
