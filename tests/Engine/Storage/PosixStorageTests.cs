using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using Varve.Storage;
using Xunit;

namespace Varve.Tests.Engine.Storage;

/// <summary>The contract, and what only the real file system of Linux can show.</summary>
public unsafe partial class PosixStorageTests() : StorageContract(Posix)
{
    private static readonly PosixStorage Posix = new();

    [Fact]
    public void FullDiskThrowsStorageFullException()
    {
        if (!File.Exists("/dev/full")) return;
        using var file = Posix.Open("/dev/full", FileIntent.ReadWrite);
        var failure = Assert.Throws<StorageFullException>(() => file.Write(0, [1]));
        Assert.Equal("/dev/full", failure.Path);
        Assert.Contains("pwrite", failure.InnerException!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AllocationBeyondDiskIsOrdinaryError()
    {
        using var file = Posix.Open(At("f"), FileIntent.CreateNew);
        Assert.ThrowsAny<IOException>(() => file.Allocate(1L << 60));
        Posix.Delete(At("f"));
    }

    [Fact]
    public void FailedSyncIsReported()
    {
        // A character device refuses a sync: the error EINVAL must be reported.
        if (!OperatingSystem.IsLinux()) return;
        using var file = Posix.Open("/dev/null", FileIntent.Read);
        var failure = Assert.ThrowsAny<IOException>(file.Sync);
        Assert.Contains("fdatasync", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void SymbolicLinkIsNotFollowed()
    {
        Put("real", "x");
        File.CreateSymbolicLink(At("link"), At("real"));
        Assert.ThrowsAny<IOException>(() => Posix.Open(At("link"), FileIntent.Read));
        Assert.ThrowsAny<IOException>(() => Posix.TryLock(At("link")));
    }

    [Fact]
    public void PipeIsNeitherAwaitedNorRead()
    {
        using (var mkfifo = Process.Start("mkfifo", [At("pipe")])) mkfifo.WaitForExit();
        Assert.ThrowsAny<IOException>(() => Posix.Open(At("pipe"), FileIntent.Read));
    }

    [Fact]
    public void LockKeepsOtherProcessesOut()
    {
        using var held = Posix.TryLock(At("LOCK"));
        Assert.NotNull(held);
        Assert.NotEqual(0, LockFromAnotherProcess());
        held.Dispose();
        Assert.Equal(0, LockFromAnotherProcess());
    }

    [Fact]
    public void LockSurvivesLossOfItsFile()
    {
        using (Posix.TryLock(At("LOCK")))
        {
            Posix.Delete(At("LOCK"));
            Assert.Null(Posix.TryLockExisting(At("LOCK")));
            Assert.False(Posix.FileExists(At("LOCK")));
        }

        using var held = Posix.TryLockExisting(At("LOCK"));
        Assert.NotNull(held);
        Assert.Null(Posix.TryLock(At("LOCK")));
    }

    [Fact]
    public void DisposeUnmaps()
    {
        Put("f", "abc");
        using var file = Posix.Open(At("f"), FileIntent.Read);
        var mapping = file.Map(3, MappingAccess.Table);
        Assert.Contains(At("f"), LineOfMaps(mapping.Address), StringComparison.Ordinal);
        mapping.Dispose();
        Assert.DoesNotContain(At("f"), LineOfMaps(mapping.Address), StringComparison.Ordinal);
    }

    [Fact]
    public void ProtectedRetiredMappingKeepsAddressesWithoutAccess()
    {
        Put("f", "abc");
        using var file = Posix.Open(At("f"), FileIntent.Read);
        var mapping = file.Map(3, MappingAccess.Table);
        AppContext.SetSwitch(PosixMapping.ProtectRetiredSwitch, true);
        try
        {
            mapping.Dispose();
            mapping.Dispose();
            Assert.Contains(" ---s ", LineOfMaps(mapping.Address), StringComparison.Ordinal);
        }
        finally
        {
            AppContext.SetSwitch(PosixMapping.ProtectRetiredSwitch, false);
        }
    }

    [Fact]
    public void ReadMakesOnlyItsPagesResident()
    {
        const int dontNeed = 4;
        if (!OperatingSystem.IsLinux()) return;
        using var file = Posix.Open(At("f"), FileIntent.CreateNew);
        file.Write(0, new byte[1 << 20]);
        file.Sync();
        using var mapping = file.Map(1 << 20, MappingAccess.ProbedTable);
        Assert.True(mapping.IsResident(0, 1 << 20));
        using (var handle = File.OpenHandle(At("f"))) _ = posix_fadvise(handle, 0, 0, dontNeed);
        if (mapping.IsResident(300_000, 1)) return; // a file system in memory
        file.Read(300_000, new byte[8192]);
        Assert.True(mapping.IsResident(300_000, 8192));
        Assert.False(mapping.IsResident(280_000, 8192));
        Assert.False(mapping.IsResident(320_000, 8192));
        Assert.Equal(0, mapping.Address[600_000]); // the same goes for a fault
        Assert.True(mapping.IsResident(600_000, 1));
        Assert.False(mapping.IsResident(590_000, 1));
        Assert.False(mapping.IsResident(610_000, 1));
        mapping.Populate(700_000, 100_000);
        Assert.True(mapping.IsResident(700_000, 100_000));
        Assert.False(mapping.IsResident(0, 1 << 20));
    }

    [LibraryImport("libc")]
    private static partial int posix_fadvise(SafeFileHandle file, long offset, long length, int advice);

    private int LockFromAnotherProcess()
    {
        using var flock = Process.Start("flock", ["--nonblock", At("LOCK"), "true"]);
        flock.WaitForExit();
        return flock.ExitCode;
    }

    private static string LineOfMaps(byte* address) =>
        File.ReadLines("/proc/self/maps").FirstOrDefault(
            line => line.StartsWith(
                ((nint)address).ToString("x", CultureInfo.InvariantCulture) + "-", StringComparison.Ordinal),
            "");
}
