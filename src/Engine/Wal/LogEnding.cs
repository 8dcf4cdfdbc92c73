namespace Varve.Wal;

/// <summary>The way in which the log ended.</summary>
internal enum LogEnding
{
    /// <summary>After a whole record, with nothing behind it.</summary>
    CleanEnd,

    /// <summary>
    /// At a record that a crash left unfinished or lost. No record acknowledged as durable is missing; the rest is
    /// dropped and counted.
    /// </summary>
    TornTail,

    /// <summary>At damage to what was durable. Only verify and repair see this value; an open throws.</summary>
    Corrupt,

    /// <summary>
    /// At, or before, an intact record of a type that this build does not know. Only verify and repair see this value;
    /// an open throws.
    /// </summary>
    Unsupported,
}
