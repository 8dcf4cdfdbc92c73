namespace Varve.Format;

/// <summary>
/// The names of files in a snapshot's directory. Derived, never read from anywhere, so that no snapshot can name a
/// path.
/// </summary>
internal static class SnapshotNames
{
    public const string Manifest = "MANIFEST.varve";

    public const string TableExtension = ".vtab";

    /// <summary>
    /// The name that a table keeps wherever it travels: its number in its origin and the hash of its bytes.
    /// </summary>
    public static string Table(TableDescriptor table) => $"{table.OriginNumber:D12}-{table.Hash:x32}{TableExtension}";
}
