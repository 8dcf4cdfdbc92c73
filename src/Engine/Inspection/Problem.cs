namespace Varve.Inspection;

/// <summary>Whether a problem means that something written is lost.</summary>
internal enum Severity
{
    /// <summary>Stored bytes are not what was written.</summary>
    Damage,

    /// <summary>Worth a word, and no damage: a torn tail, a file that nobody names.</summary>
    Remark,
}

/// <summary>Something that a verification found.</summary>
/// <param name="File">The file; a directory where a file is missing that nobody can name.</param>
/// <param name="Offset">Where in the file the damaged structure begins, or the first wrong byte of it.</param>
/// <param name="Structure">What is read there.</param>
/// <param name="Text">What is wrong with it.</param>
/// <param name="Severity">Damage or a remark.</param>
internal sealed record Problem(
    string File, long Offset, string Structure, string Text, Severity Severity = Severity.Damage);

/// <summary>What was read by a verification.</summary>
/// <param name="Kind">What the path is: <c>database</c>, <c>snapshot</c> or <c>packed snapshot</c>.</param>
/// <param name="Files">Files.</param>
/// <param name="Bytes">Bytes of them that were read; of a table that is all of it only when deep.</param>
/// <param name="Blocks">Data blocks; only when deep.</param>
/// <param name="Rows">Rows of tables; only when deep.</param>
/// <param name="Records">Records of the log.</param>
/// <param name="Entries">Entries in them.</param>
internal sealed record VerificationTotals(
    string Kind, int Files, long Bytes, long Blocks, long Rows, long Records, long Entries);
