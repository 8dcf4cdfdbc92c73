namespace Varve.Format;

/// <summary>The result of a read at an offset of a manifest log.</summary>
internal enum ManifestReadResult
{
    /// <summary>A whole, intact record.</summary>
    Record,

    /// <summary>The clean end: exactly the end of the file, or nothing but zeros up to it.</summary>
    End,

    /// <summary>Neither: torn or corrupt; which one is for the caller to say.</summary>
    Invalid,
}
