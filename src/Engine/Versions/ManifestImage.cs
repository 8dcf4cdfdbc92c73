namespace Varve.Versions;

/// <summary>The readable contents of a manifest file.</summary>
/// <param name="Content">The sum of its edits.</param>
/// <param name="Salt">The salt of the file's checksums.</param>
/// <param name="End">The offset after its last whole record.</param>
/// <param name="TornBytes">Bytes after that which are no record: an edit that nothing acted on.</param>
/// <param name="Edits">The number of records.</param>
internal sealed record ManifestImage(ManifestContent Content, ulong Salt, long End, long TornBytes, int Edits);
