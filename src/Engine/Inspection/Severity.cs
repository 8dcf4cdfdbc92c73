namespace Varve.Inspection;

/// <summary>The severity of a problem.</summary>
internal enum Severity
{
    /// <summary>Stored bytes differ from the written ones, or a file is missing.</summary>
    Damage,

    /// <summary>Informational, not corruption: a torn tail, a file that nothing names.</summary>
    Remark,
}
