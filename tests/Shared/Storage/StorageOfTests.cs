using System.Runtime.CompilerServices;
using Varve.Storage;

namespace Varve.Tests.Shared;

/// <summary>
/// The storage under every engine of a test project that names none. <c>VARVE_TEST_STORAGE</c> replaces the platform's:
/// <c>portable</c> is the managed storage, and <c>ntfs</c> is that storage on a file system that refuses what NTFS
/// refuses (<see cref="NtfsLikeStorage"/>), as on Windows.
/// </summary>
internal static class StorageOfTests
{
    public const string Variable = "VARVE_TEST_STORAGE";

    /// <summary>True if there are hard links and locks of directories, and opens that never wait for a pipe.</summary>
    public static bool IsPosix => Storages.Default is PosixStorage;

    /// <summary>True if there are shares of files too, hence recycled files.</summary>
    public static bool IsLinux => OperatingSystem.IsLinux() && IsPosix;

    // Before the first engine, and before a compiled method takes the field for a constant.
#pragma warning disable CA2255 // No other place runs before every test of an assembly.
    [ModuleInitializer]
#pragma warning restore CA2255
    internal static void Choose()
    {
        var name = Environment.GetEnvironmentVariable(Variable);
        if (string.IsNullOrEmpty(name)) return;
        _ = Storages.Default;
        Default(null) = name switch
        {
            "portable" => new PortableStorage(),
            "ntfs" => new NtfsLikeStorage(new PortableStorage()),
            _ => throw new InvalidOperationException($"{Variable} is {name}; expected portable or ntfs"),
        };
    }

    [UnsafeAccessor(UnsafeAccessorKind.StaticField, Name = "<Default>k__BackingField")]
    private static extern ref IStorage Default(
        [UnsafeAccessorType("Varve.Storage.Storages, Varve.Engine")] object? storages);
}
