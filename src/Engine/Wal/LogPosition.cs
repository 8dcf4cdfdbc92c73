namespace Varve.Wal;

/// <summary>The position after a record: index, term and times of the state that the log makes up to it.</summary>
internal readonly record struct LogPosition(ulong Index, ulong Term, ulong LogTimeMs, ulong LocalTimeMs)
{
    public LogId Id => new(Index, Term);
}
