using System.Runtime.InteropServices;
using Varve.Storage;
using Xunit;

namespace Varve.Tests.Engine.Storage;

/// <summary>A process that has no file descriptor left; alone, for its other threads have none either.</summary>
[Collection(WholeProcess.Name)]
public sealed partial class NoDescriptorsTests
{
    private const int DescriptorsOfAProcess = 7; // RLIMIT_NOFILE

    [Fact]
    public void ListingWithoutDescriptorIsOrdinaryError()
    {
        if (!OperatingSystem.IsLinux()) return;
        var storage = new PosixStorage();
        var directory = Path.GetTempPath();
        // Code that a first call loads needs descriptors.
        storage.List(directory);
        _ = new TooManyOpenFilesException(directory, new IOException()).Message;
        Assert.Equal(0, GetLimit(DescriptorsOfAProcess, out var usual));
        Exception? refusal;
        Assert.Equal(0, SetLimit(DescriptorsOfAProcess, usual with { Soft = 0 }));
        try
        {
            refusal = Record.Exception(() => storage.List(directory));
        }
        finally
        {
            SetLimit(DescriptorsOfAProcess, usual);
        }

        Assert.Contains(directory, Assert.IsType<TooManyOpenFilesException>(refusal).Message, StringComparison.Ordinal);
    }

    [LibraryImport("libc", EntryPoint = "getrlimit")]
    private static partial int GetLimit(int resource, out Limit limit);

    [LibraryImport("libc", EntryPoint = "setrlimit")]
    private static partial int SetLimit(int resource, in Limit limit);

    private readonly record struct Limit(ulong Soft, ulong Hard);
}
