using System.Runtime.InteropServices;
using Varve.Background;
using Varve.Storage;
using Xunit;

namespace Varve.Tests.Engine.Recovery;

/// <summary>
/// A shortage of descriptors is an ordinary error like a full disk: nothing is acknowledged, nothing latches, and the
/// engine continues afterwards.
/// </summary>
public sealed class DescriptorsTests : IDisposable
{
    private readonly Database _database = new();
    private readonly FaultInjector _storage = new(Storages.Default);
    private volatile string[] _scarce = [];

    public DescriptorsTests() => _storage.Before = (operation, path) =>
    {
        if (_scarce.Contains(operation))
            throw operation == "map" ? new TooManyMappingsException(path) : new TooManyOpenFilesException(path);
    };

    public void Dispose() => _database.Dispose();

    [Theory]
    [InlineData("create,open,takeover,lock,share,sync directory")]
    [InlineData("sync directory")] // the last descriptor was the file's
    [InlineData("map")]
    public Task TwentyDescriptorShortagesLoseNothing(string operations) =>
        ResourceShortage.Cycle(
            _database, _storage, times: 20, isScarce => _scarce = isScarce ? operations.Split(',') : []);

    [Fact]
    public async Task ResetWithoutDescriptorsIsRefusedAndCanBeRetried()
    {
        using var machine = _database.Open(Database.Small, new EngineSeams(_storage));
        _scarce = ["create", "open", "sync directory"];
        NumberedLog.ApplyUpTo(machine, 20);
        // One memtable may have been made ahead.
        Exception? refusal;
        while ((refusal = await Record.ExceptionAsync(() => machine.ResetAsync())) is null)
            NumberedLog.ApplyUpTo(machine, 20);
        Assert.IsType<TooManyOpenFilesException>(refusal);
        Assert.Null(machine.GetStatistics().Fault);
        _scarce = [];
        await machine.ResetAsync();
        Assert.True(machine.IsEmpty);
        NumberedLog.ApplyUpTo(machine, 20);
        NumberedLog.AssertIsWhole(machine);
    }

    [Fact]
    public void SystemErrorsBecomeTypedExceptions()
    {
        Assert.IsType<TooManyOpenFilesException>(PosixError.Of(Libc.EMFILE, "open", "/f"));
        Assert.IsType<TooManyOpenFilesException>(PosixError.Of(Libc.ENFILE, "open", "/f"));
        Marshal.SetLastPInvokeError(Libc.ENOMEM);
        Assert.Contains(
            "vm.max_map_count", Assert.IsType<TooManyMappingsException>(PosixError.LastOfMapping("/f")).Message);
        if (OperatingSystem.IsWindows()) return;
        Assert.True(PortableError.TryTranslate(new IOException("too many", Libc.EMFILE), "/f", out var translated));
        Assert.IsType<TooManyOpenFilesException>(translated);
    }
}
