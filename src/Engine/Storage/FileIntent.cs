namespace Varve.Storage;

/// <summary>The purpose of an open file.</summary>
internal enum FileIntent
{
    /// <summary>An existing file, to read.</summary>
    Read,

    /// <summary>An existing file, to read and write.</summary>
    ReadWrite,

    /// <summary>A file that must not exist yet, to read and write.</summary>
    CreateNew,
}
