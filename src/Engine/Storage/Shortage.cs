namespace Varve.Storage;

/// <summary>
/// What may pass by itself: a full disk, want of descriptors or of mappings. A step that meets one has changed nothing
/// that counts, or undoes it; the step may be tried again, and nothing is latched.
/// </summary>
internal static class Shortage
{
    public static bool IsMet(Exception exception) =>
        exception is StorageFullException or TooManyOpenFilesException
        || exception is TooManyMappingsException;

    /// <summary>The same shortage, for another who waits for the same step.</summary>
    public static IOException Again(IOException shortage) => shortage switch
    {
        StorageFullException full => new StorageFullException(full.Path, full),
        TooManyOpenFilesException scarce => new TooManyOpenFilesException(scarce.Path, scarce),
        TooManyMappingsException many => new TooManyMappingsException(many.Path, many),
        _ => shortage,
    };
}
