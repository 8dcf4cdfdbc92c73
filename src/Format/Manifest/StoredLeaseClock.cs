namespace Varve.Format;

/// <summary>
/// The lease clock of a database, as it is on disk; the numbers are frozen and those of the engine's option.
/// </summary>
internal enum StoredLeaseClock : byte
{
    /// <summary>The local clock of each machine.</summary>
    Local = 0,

    /// <summary>The largest timestamp of the log.</summary>
    Log = 1,
}
