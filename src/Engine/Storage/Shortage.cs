namespace Varve.Storage;

/// <summary>
/// A condition that may pass by itself: a full disk, or no free descriptor or mapping. A step that meets one undoes its
/// changes, so the step can be tried again and the engine latches no failure.
/// </summary>
internal static class Shortage
{
    public static bool IsMet(Exception exception) =>
        exception is StorageFullException or TooManyOpenFilesException
        || exception is TooManyMappingsException;

    /// <summary>A copy of the shortage, for another waiter for the same step.</summary>
    public static IOException Again(IOException shortage) => shortage switch
    {
        StorageFullException full => new StorageFullException(full.Path, full),
        TooManyOpenFilesException scarce => new TooManyOpenFilesException(scarce.Path, scarce),
        TooManyMappingsException many => new TooManyMappingsException(many.Path, many),
        _ => shortage,
    };
}
