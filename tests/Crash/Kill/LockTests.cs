using System.Runtime.InteropServices;
using Varve.Tests.Crash.Children;
using Xunit;

namespace Varve.Tests.Crash.Kill;

/// <summary>A close unlocks the directory even if another process holds a copy of the descriptor.</summary>
public sealed partial class LockTests
{
    /// <summary>A process start copies all descriptors for a moment; a duplicate imitates that copy here.</summary>
    [Fact]
    public void DirectoryReopensWhileAnotherProcessStarts()
    {
        if (!OperatingSystem.IsLinux()) return;
        using var room = new CrashDirectory(Path.GetTempPath());
        var directory = Path.Combine(room.Path, "db");
        int copy;
        using (LsmStateMachine.Open(directory))
        {
            var held = Directory.GetFiles("/proc/self/fd").Single(
                link => new FileInfo(link).LinkTarget == Path.Combine(directory, "LOCK"));
            copy = Duplicate(int.Parse(Path.GetFileName(held), System.Globalization.CultureInfo.InvariantCulture));
        }

        try
        {
            LsmStateMachine.Open(directory).Dispose();
        }
        finally
        {
            _ = Close(copy);
        }
    }

    [LibraryImport("libc", EntryPoint = "dup")]
    private static partial int Duplicate(int descriptor);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int descriptor);
}
