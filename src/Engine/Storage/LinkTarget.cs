namespace Varve.Storage;

/// <summary>Follows a symbolic link that a caller named.</summary>
internal static class LinkTarget
{
    /// <summary>What the link names in the end, there or not; the path itself if it is no link.</summary>
    /// <exception cref="IOException">The links go in a circle.</exception>
    public static string Of(string path)
    {
        try
        {
            return File.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName ?? path;
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return path;
        }
        catch (UnauthorizedAccessException e)
        {
            throw new IOException($"{path}: readlink failed: {e.Message}", e);
        }
    }
}
