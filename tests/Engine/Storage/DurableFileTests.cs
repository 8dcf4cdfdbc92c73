using Varve.Storage;
using Xunit;

namespace Varve.Tests.Engine.Storage;

/// <summary>
/// A durable replace does its steps in the one right order, and whichever of them fails, the name holds old or new,
/// whole.
/// </summary>
public sealed class DurableFileTests : IDisposable
{
    private static readonly string[] Order = [
        "create f.tmp", "write f.tmp", "sync f.tmp", "rename f.tmp -> f", "sync directory ."];

    private readonly string _root = Directory.CreateTempSubdirectory("varve-durable-").FullName;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public void ReplaceWritesSyncsRenamesThenSyncsDirectory()
    {
        var storage = new FaultInjector(Storages.Default, _root);
        DurableFile.Replace(storage, Path.Combine(_root, "f"), "new"u8);
        Assert.Equal(Order, storage.Operations);
    }

    [Theory]
    [InlineData(0, "old")]
    [InlineData(1, "old")]
    [InlineData(2, "old")]
    [InlineData(3, "old")]
    [InlineData(4, "new")]
    public void FailedStepLeavesOldOrNewFileAndNoTemporary(int step, string left)
    {
        var path = Path.Combine(_root, "f");
        File.WriteAllText(path, "old");
        var storage = new FaultInjector(Storages.Default, _root);
        storage.FailAt(step);
        var failure = Assert.Throws<IOException>(() => DurableFile.Replace(storage, path, "new"u8));
        Assert.Contains("injected", failure.Message, StringComparison.Ordinal);
        Assert.Equal(left, File.ReadAllText(path));
        Assert.Equal(["f"], Storages.Default.List(_root));
    }
}
