namespace Varve.Format;

/// <summary>The header of a packed snapshot.</summary>
internal readonly record struct PackHeader(int ManifestLength, int FileCount);
