namespace Varve.Diagnostics;

/// <summary>Facts about a piece of work, which become the tags of its span. One thread.</summary>
internal sealed class WorkFacts
{
    /// <summary>Bytes written or, of a recovery, read.</summary>
    public long? Bytes { get; set; }

    /// <summary>Rows written or, of a recovery, entries replayed.</summary>
    public long? Rows { get; set; }

    /// <summary>The applied index that the work ends at.</summary>
    public ulong? Index { get; set; }

    /// <summary>The level that receives the rows: <see cref="Levels"/>.</summary>
    public string? Level { get; set; }

    /// <summary>The cause of the work.</summary>
    public string? Reason { get; set; }

    /// <summary>True if the work turned out to be needless; then it is not counted.</summary>
    public bool IsDropped { get; set; }
}
