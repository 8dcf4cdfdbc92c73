namespace Varve.Storage;

/// <summary>Follows a symbolic link of a path that a caller named.</summary>
internal static class LinkTarget
{
    /// <summary>The final target of the link, whether it exists or not; the path itself if it is no link.</summary>
    /// <exception cref="IOException">The links form a cycle.</exception>
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
