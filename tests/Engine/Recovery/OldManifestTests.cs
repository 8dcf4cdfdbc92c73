using Varve.Background;
using Varve.Storage;
using Xunit;

namespace Varve.Tests.Engine.Recovery;

/// <summary>
/// A manifest goes when CURRENT names the next; where it cannot be deleted it stays, and the next one with it.
/// </summary>
public sealed class OldManifestTests : IDisposable
{
    private readonly Database _database = new();

    public void Dispose() => _database.Dispose();

    [Fact]
    public void UndeletableOldManifestStaysBesideNewOne()
    {
        using (var machine = _database.Open()) NumberedLog.ApplyUpTo(machine, 50);
        var storage = new FaultInjector(Storages.Default)
        {
            Before = (operation, path) =>
            {
                if (operation == "delete" && path.EndsWith(FileNames.ManifestSuffix, StringComparison.Ordinal))
                    throw new IOException("in use");
            },
        };
        using (var machine = _database.Open(Database.Small, new EngineSeams(storage)))
            NumberedLog.ApplyUpTo(machine, 100);
        Assert.Equal(2, _database.Files(FileNames.ManifestSuffix).Length);
        using (var machine = _database.Open()) Assert.Equal(100UL, NumberedLog.AssertIsWhole(machine));
        Assert.Single(_database.Files(FileNames.ManifestSuffix));
    }
}
