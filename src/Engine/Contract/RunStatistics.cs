namespace Varve;

/// <summary>The size of one sorted run.</summary>
/// <param name="Tables">Number of tables.</param>
/// <param name="Rows">Number of rows, tombstones included.</param>
/// <param name="Bytes">Size of the tables, in bytes of disk.</param>
public readonly record struct RunStatistics(int Tables, long Rows, long Bytes);
