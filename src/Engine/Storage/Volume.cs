namespace Varve.Storage;

/// <summary>The volume that a directory is on.</summary>
internal static class Volume
{
    /// <inheritdoc cref="IStorage.SpaceLeft"/>
    public static long? SpaceLeft(string directory)
    {
        try
        {
            // On Unix any path names its volume; on Windows a drive does.
            var name = OperatingSystem.IsWindows() ? Path.GetPathRoot(directory) ?? directory : directory;
            return new DriveInfo(name).AvailableFreeSpace;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return null;
        }
    }
}
