namespace Varve.Inspection;

/// <summary>The amounts that a verification read.</summary>
/// <param name="Kind">Kind of the path: <c>database</c>, <c>snapshot</c> or <c>packed snapshot</c>.</param>
/// <param name="Files">Number of files.</param>
/// <param name="Bytes">Bytes read; of a table, all of them only in a deep verification.</param>
/// <param name="Blocks">Data blocks; only in a deep verification.</param>
/// <param name="Rows">Rows of tables; only in a deep verification.</param>
/// <param name="Records">Records of the log.</param>
/// <param name="Entries">Entries of these records.</param>
internal sealed record VerificationTotals(
    string Kind, int Files, long Bytes, long Blocks, long Rows, long Records, long Entries);
