namespace Varve.Format;

/// <summary>Which columns a chunk record carries beside its outcomes. Frozen: on disk.</summary>
[Flags]
internal enum ColumnFlags : byte
{
    None = 0,

    /// <summary>Indexes are not consecutive.</summary>
    Indexes = 1,

    /// <summary>Not every entry has the record's term.</summary>
    Terms = 2,

    /// <summary>The log time rises within the chunk.</summary>
    Times = 4,

    /// <summary>Some entries were refused.</summary>
    Refused = 8,

    /// <summary>The mark of the outer log moves with the chunk.</summary>
    Mark = 16,

    All = Indexes | Terms | Times | Refused | Mark,
}
