using Varve.Storage;
using Xunit;

namespace Varve.Tests.Engine.Storage;

/// <summary>The wrapper keeps the contract, and refuses what Windows refuses.</summary>
public sealed class NtfsLikeStorageTests : StorageContract
{
    private readonly NtfsLikeStorage _storage;

    public NtfsLikeStorageTests() : this(new NtfsLikeStorage(new PortableStorage()))
    {
    }

    private NtfsLikeStorageTests(NtfsLikeStorage storage) : base(storage) => _storage = storage;

    private protected override bool DeletesFilesInUse => false;

    [Fact]
    public void OpenFileIsRenamedButNotDeletedOrReplaced()
    {
        using (_storage.Open(In("a"), FileIntent.CreateNew))
        {
            Make("b");
            Assert.Throws<IOException>(() => _storage.Delete(In("a")));
            Assert.Throws<IOException>(() => _storage.Rename(In("b"), In("a")));
            _storage.Rename(In("a"), In("c"));
            Assert.Throws<IOException>(() => _storage.Delete(In("c")));
            Assert.Equal(3, _storage.Refused.Count);
        }

        _storage.Rename(In("b"), In("c"));
        _storage.Delete(In("c"));
        Assert.Empty(_storage.List(Root));
    }

    [Fact]
    public void MappedFileIsNotDeleted()
    {
        using var file = _storage.Open(In("a"), FileIntent.CreateNew);
        file.Allocate(4096);
        var mapping = file.Map(4096, MappingAccess.Segment);
        file.Dispose();
        Assert.Throws<IOException>(() => _storage.Delete(In("a")));
        mapping.Dispose();
        _storage.Delete(In("a"));
    }

    [Fact]
    public void DirectoryWithOpenFileIsNotRenamed()
    {
        _storage.CreateDirectory(In("d"));
        using (_storage.Open(In("d/a"), FileIntent.CreateNew))
            Assert.Throws<IOException>(() => _storage.Rename(In("d"), In("e")));
        _storage.Rename(In("d"), In("e"));
        Assert.True(_storage.FileExists(In("e/a")));
    }

    [Fact]
    public void LockedFileIsOpenedByNobody()
    {
        Make("a");
        using (Assert.IsType<IDisposable>(_storage.TryLock(In("a")), exactMatch: false))
        {
            Assert.Null(_storage.TryLock(In("A")));
            Assert.Throws<IOException>(() => _storage.Open(In("a"), FileIntent.Read));
            Assert.Throws<IOException>(() => _storage.Delete(In("a")));
            Assert.Throws<IOException>(() => _storage.Rename(In("a"), In("b")));
        }

        _storage.Open(In("a"), FileIntent.Read).Dispose();
    }

    [Fact]
    public void NamesDifferByMoreThanCase()
    {
        Make("Name");
        Assert.True(_storage.FileExists(In("nAME")));
        Assert.Throws<IOException>(() => _storage.Open(In("NAME"), FileIntent.CreateNew));
        using (_storage.Open(In("name"), FileIntent.Read))
            Assert.Throws<IOException>(() => _storage.Delete(In("NAME")));
        Make("other");
        _storage.Rename(In("other"), In("NAME"));
        Assert.Equal(["Name"], _storage.List(Root));
    }

    private string In(string name) => Path.Combine(Root, name);

    private void Make(string name) => _storage.Open(In(name), FileIntent.CreateNew).Dispose();
}
