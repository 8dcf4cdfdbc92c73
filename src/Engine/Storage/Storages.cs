namespace Varve.Storage;

/// <summary>Chooses the file system of the platform.</summary>
internal static class Storages
{
    /// <summary>The storage of this platform; stateless, shared.</summary>
    public static IStorage Default { get; } =
        OperatingSystem.IsLinux() || OperatingSystem.IsMacOS() ? new PosixStorage() : new PortableStorage();
}
