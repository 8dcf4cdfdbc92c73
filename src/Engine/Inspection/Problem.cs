namespace Varve.Inspection;

/// <summary>A finding of a verification.</summary>
/// <param name="File">Path of the file; of the directory, if the name of a missing file is unknown.</param>
/// <param name="Offset">Offset of the damaged structure, or of its first wrong byte.</param>
/// <param name="Structure">The structure at the offset.</param>
/// <param name="Text">The problem, as one clause.</param>
/// <param name="Severity">Damage or a remark.</param>
internal sealed record Problem(
    string File, long Offset, string Structure, string Text, Severity Severity = Severity.Damage);
