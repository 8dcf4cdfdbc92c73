using System.Text;
using Varve.Storage;
using Xunit;

namespace Varve.Tests.Engine.Storage;

/// <summary>The contract of every <see cref="IStorage"/>.</summary>
public abstract unsafe class StorageContract : IDisposable
{
    private readonly IStorage _storage;
    private readonly string _root = Directory.CreateTempSubdirectory("varve-storage-").FullName;

    private protected StorageContract(IStorage storage)
    {
        _storage = storage;
        storage.CreateDirectory(_root);
    }

    private protected string Root => _root;

    /// <summary>True if files can be examined without the storage.</summary>
    private protected virtual bool IsOnDisk => true;

    private protected virtual bool HasLinks => _storage is PosixStorage;

    private protected virtual bool DeletesFilesInUse => _storage is PosixStorage || !OperatingSystem.IsWindows();

    public void Dispose()
    {
        Directory.Delete(_root, recursive: true);
        GC.SuppressFinalize(this);
    }

    [Fact]
    public void CreateDirectoryMakesParentsAndMayBeRepeated()
    {
        var path = At("a/b/c");
        _storage.CreateDirectory(path);
        _storage.CreateDirectory(path + "/");
        Assert.True(_storage.DirectoryExists(path));
        _storage.SyncDirectory(At("a/b"));
        _storage.DeleteDirectory(path);
        _storage.DeleteDirectory(path);
        Assert.False(_storage.DirectoryExists(path));
    }

    [Fact]
    public void DirectoryUnderFileIsRefused()
    {
        Put("file", "x");
        Assert.ThrowsAny<IOException>(() => _storage.CreateDirectory(At("file")));
        Assert.ThrowsAny<IOException>(() => _storage.CreateDirectory(At("file/below")));
    }

    [Fact]
    public void FilesAreAccessibleToOwnerOnly()
    {
        if (OperatingSystem.IsWindows() || !IsOnDisk) return;
        _storage.CreateDirectory(At("d"));
        Put("d/f", "x");
        Assert.Equal(
            UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(At("d")));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(At("d/f")));
        using var held = _storage.TryLock(At("d/lock"));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(At("d/lock")));
    }

    [Fact]
    public void LinkIsNotFollowed()
    {
        if (OperatingSystem.IsWindows() || !IsOnDisk) return; // on Windows it takes a privilege to make one
        Put("file", "x");
        _storage.CreateDirectory(At("directory"));
        File.CreateSymbolicLink(At("to file"), At("file"));
        Directory.CreateSymbolicLink(At("to directory"), At("directory"));
        Assert.Throws<NotAPlainFileException>(() => _storage.Open(At("to file"), FileIntent.Read));
        Assert.Throws<NotAPlainFileException>(() => _storage.Open(At("to file"), FileIntent.ReadWrite));
        // Not "to directory/": what is behind it is not ours to list or delete.
        Assert.Equal(["directory/", "file", "to directory", "to file"], _storage.List(_root));
        _storage.Delete(At("to directory"));
        Assert.True(_storage.DirectoryExists(At("directory")));
    }

    [Fact]
    public void ListingNamesFilesAndMarksDirectories()
    {
        Put("one", "1");
        Put(".hidden", "2");
        _storage.CreateDirectory(At("sub"));
        Assert.Equal([".hidden", "one", "sub/"], _storage.List(_root));
        Assert.Throws<DirectoryNotFoundException>(() => _storage.List(At("none")));
    }

    [Fact]
    public void CreateRequiresNewFileAndOpenExistingFile()
    {
        Put("f", "x");
        Assert.ThrowsAny<IOException>(() => _storage.Open(At("f"), FileIntent.CreateNew));
        Assert.Throws<FileNotFoundException>(() => _storage.Open(At("g"), FileIntent.Read));
        Assert.Throws<FileNotFoundException>(() => _storage.Open(At("g"), FileIntent.ReadWrite));
        Assert.True(_storage.FileExists(At("f")));
        Assert.False(_storage.FileExists(At("g")));
        Assert.False(_storage.FileExists(_root));
    }

    [Fact]
    public void BytesWrittenAtOffsetAreReadBack()
    {
        using var file = _storage.Open(At("f"), FileIntent.CreateNew);
        var data = new byte[300_000];
        new Random(7).NextBytes(data);
        file.Write(5, data);
        file.Write(5, []);
        Assert.Equal(data.Length + 5, file.Length);
        var back = new byte[data.Length];
        file.Read(5, back);
        Assert.Equal(data, back);
        var hole = new byte[5];
        file.Read(0, hole);
        Assert.Equal(new byte[5], hole);
        file.Sync();
    }

    [Fact]
    public void ReadPastEndIsReported()
    {
        Put("f", "abc");
        using var file = _storage.Open(At("f"), FileIntent.Read);
        Assert.Throws<EndOfStreamException>(() => file.Read(1, new byte[3]));
        Assert.Throws<EndOfStreamException>(() => file.Read(100, new byte[1]));
        file.Read(3, []);
    }

    [Fact]
    public void FileOpenedForReadingIsNotWritable()
    {
        Put("f", "abc");
        using var file = _storage.Open(At("f"), FileIntent.Read);
        Assert.ThrowsAny<IOException>(() => file.Write(0, [1]));
    }

    [Fact]
    public void AllocationGrowsWithZerosAndNeverShrinks()
    {
        using var file = _storage.Open(At("f"), FileIntent.CreateNew);
        file.Write(0, "abc"u8);
        file.Allocate(100_001);
        Assert.Equal(100_001, file.Length);
        file.Allocate(10);
        file.Allocate(0);
        Assert.Equal(100_001, file.Length);
        var back = new byte[100_001];
        file.Read(0, back);
        Assert.Equal("abc", Encoding.UTF8.GetString(back, 0, 3));
        Assert.Equal(-1, back.AsSpan(3).IndexOfAnyExcept((byte)0));
    }

    [Fact]
    public void TableMappingShowsFileAndOutlivesIt()
    {
        Put("f", "abcdef");
        IMapping mapping;
        using (var file = _storage.Open(At("f"), FileIntent.Read)) mapping = file.Map(5, MappingAccess.Table);
        if (DeletesFilesInUse) _storage.Delete(At("f"));
        else Assert.ThrowsAny<IOException>(() => _storage.Delete(At("f")));
        Assert.Equal(5, mapping.Length);
        mapping.Populate(0, 5);
        mapping.Populate(2, 0);
        Assert.Throws<ArgumentOutOfRangeException>(() => mapping.Populate(2, 4));
        mapping.IsResident(0, 5);
        mapping.IsResident(2, 0);
        Assert.Throws<ArgumentOutOfRangeException>(() => mapping.IsResident(2, 4));
        Assert.Equal("abcde", Encoding.UTF8.GetString(mapping.Address, 5));
        mapping.Dispose();
        mapping.Dispose();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void StoreThroughSegmentMappingReachesFile(bool isSynced)
    {
        using var file = _storage.Open(At("f"), FileIntent.CreateNew);
        file.Allocate(1 << 20);
        using (var mapping = file.Map(1 << 20, isSynced ? MappingAccess.SyncedSegment : MappingAccess.Segment))
        {
            mapping.Populate(4096, 100_000);
            mapping.Address[123_456] = 42;
            mapping.Dirtied(123_456, 1);
            file.BeginSync(120_000, 8192);
            file.Sync();
            var back = new byte[1];
            file.Read(123_456, back);
            Assert.Equal(42, back[0]);
            file.Write(7, [9]);
            Assert.Equal(9, mapping.Address[7]);
        }

        file.Sync();
    }

    [Fact]
    public void EmptyFileMapsToEmptySpan()
    {
        using var file = _storage.Open(At("f"), FileIntent.CreateNew);
        using var table = file.Map(0, MappingAccess.Table);
        using var segment = file.Map(0, MappingAccess.Segment);
        Assert.Equal(0, table.Length);
        table.Populate(0, 0);
        Assert.Equal(0, segment.Length);
    }

    [Fact]
    public void MappingBeyondFileIsRefused()
    {
        Put("f", "abc");
        using var file = _storage.Open(At("f"), FileIntent.ReadWrite);
        Assert.Throws<EndOfStreamException>(() => file.Map(4, MappingAccess.Table));
        Assert.Equal(3, file.Length);
    }

    [Fact]
    public void RenameReplacesTarget()
    {
        Put("a", "new");
        Put("b", "old");
        _storage.Rename(At("a"), At("b"));
        Assert.False(_storage.FileExists(At("a")));
        Assert.Equal("new", Text("b"));
        Assert.ThrowsAny<IOException>(() => _storage.Rename(At("a"), At("b")));
    }

    [Fact]
    public void RenameMovesDirectories()
    {
        _storage.CreateDirectory(At("d"));
        Put("d/f", "x");
        _storage.Rename(At("d"), At("e"));
        Assert.Equal("x", Text("e/f"));
    }

    [Fact]
    public void DeleteOfMissingFileIsNoError()
    {
        Put("f", "x");
        _storage.Delete(At("f"));
        _storage.Delete(At("f"));
        Assert.False(_storage.FileExists(At("f")));
    }

    [Fact]
    public void NonEmptyDirectoryIsNotDeleted()
    {
        _storage.CreateDirectory(At("d"));
        Put("d/f", "x");
        Assert.ThrowsAny<IOException>(() => _storage.DeleteDirectory(At("d")));
        Assert.True(_storage.FileExists(At("d/f")));
    }

    [Fact]
    public void SecondLockIsRefusedUntilFirstIsReleased()
    {
        using (var first = _storage.TryLock(At("LOCK")))
        {
            Assert.NotNull(first);
            Assert.Null(_storage.TryLock(At("LOCK")));
        }

        using var again = _storage.TryLock(At("LOCK"));
        Assert.NotNull(again);
    }

    [Fact]
    public void LockWithoutCreationIsSameLock()
    {
        using (var first = _storage.TryLockExisting(At("LOCK"))) Assert.NotNull(first);
        Assert.False(_storage.FileExists(At("LOCK")));
        using (_storage.TryLock(At("LOCK"))) Assert.Null(_storage.TryLockExisting(At("LOCK")));
        using (var first = _storage.TryLockExisting(At("LOCK")))
        {
            Assert.NotNull(first);
            Assert.Null(_storage.TryLock(At("LOCK")));
        }

        using var again = _storage.TryLock(At("LOCK"));
        Assert.NotNull(again);
    }

    [Fact]
    public void FileIsSharedWhileAnyShareIsHeld()
    {
        Put("f", "");
        var canTell = !_storage.IsShared(At("f"));
        using (var first = _storage.TryShare(At("f")))
        {
            Assert.NotNull(first);
            Assert.True(_storage.IsShared(At("f")));
            using (var second = _storage.TryShare(At("f"))) Assert.NotNull(second);
            Assert.True(_storage.IsShared(At("f")));
        }

        Assert.Equal(canTell, !_storage.IsShared(At("f")));
    }

    [Fact]
    public void SharesAndLockDoNotConflict()
    {
        Put("f", "");
        using var locked = _storage.TryLock(At("LOCK"));
        using var share = _storage.TryShare(At("f"));
        Assert.NotNull(share);
        locked!.Dispose();
        using var again = _storage.TryLock(At("LOCK"));
        Assert.NotNull(again);
    }

    [Fact]
    public void FileIsTakenOverWithItsBytesOrNotAtAll()
    {
        Put("old", "abcdef");
        using var file = _storage.TryTakeOver(At("old"), At("new"));
        if (file is null)
        {
            Assert.True(_storage.FileExists(At("old")));
            return;
        }

        Assert.False(_storage.FileExists(At("old")));
        Assert.Equal((At("new"), 6L), (file.Path, file.Length));
        file.Write(0, "xyz"u8);
        file.BeginSync(0, 3);
        file.Truncate(4);
        file.Sync();
        Assert.Equal("xyzd", Text("new"));
    }

    [Fact]
    public void FileWithSecondNameIsNotTakenOver()
    {
        Put("old", "abc");
        if (!_storage.TryLink(At("old"), At("other"))) return;
        Assert.Null(_storage.TryTakeOver(At("old"), At("new")));
        Assert.Equal("abc", Text("old"));
        Assert.False(_storage.FileExists(At("new")));
    }

    [Fact]
    public void LinkAddsSecondNameOrFails()
    {
        Put("a", "x");
        if (_storage.TryLink(At("a"), At("b")))
        {
            Assert.Equal("x", Text("b"));
            Assert.ThrowsAny<IOException>(() => _storage.TryLink(At("a"), At("b")));
            Assert.ThrowsAny<IOException>(() => _storage.TryLink(At("none"), At("c")));
        }

        Assert.Equal(HasLinks, _storage.FileExists(At("b")));
    }

    [Fact]
    public void ErrorMessagesNamePath()
    {
        var failure = Assert.ThrowsAny<IOException>(() => _storage.Open(At("none"), FileIntent.Read));
        Assert.Contains(At("none"), failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void DurableReplaceLeavesNewContentAndNoTemporary()
    {
        Put("f.tmp", "left over from a crash");
        DurableFile.Replace(_storage, At("f"), "one"u8);
        Assert.Equal("one", Text("f"));
        DurableFile.Replace(_storage, At("f"), "two"u8);
        Assert.Equal("two", Text("f"));
        Assert.Equal(["f"], _storage.List(_root));
    }

    [Fact]
    public void DurableReplaceThatFailsLeavesNoTemporary()
    {
        _storage.CreateDirectory(At("f"));
        Put("f/in the way", "x");
        Assert.ThrowsAny<IOException>(() => DurableFile.Replace(_storage, At("f"), "one"u8));
        Assert.Equal(["f/"], _storage.List(_root));
    }

    private protected string At(string name) => Path.Combine(_root, name);

    private protected void Put(string name, string text)
    {
        using var file = _storage.Open(At(name), FileIntent.CreateNew);
        file.Write(0, Encoding.UTF8.GetBytes(text));
    }

    private string Text(string name)
    {
        using var file = _storage.Open(At(name), FileIntent.Read);
        var bytes = new byte[file.Length];
        file.Read(0, bytes);
        return Encoding.UTF8.GetString(bytes);
    }
}
