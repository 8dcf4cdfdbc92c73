using Varve.Storage;
using Varve.Tests.Engine.Storage;
using Varve.Tests.Shared.Disk;
using Xunit;

namespace Varve.Tests.Simulation.Disk;

/// <summary>The simulated disk does what every storage does.</summary>
public sealed class SimFsContractTests() : StorageContract(new SimFs())
{
    private protected override bool IsOnDisk => false;

    private protected override bool HasLinks => true;
}

/// <summary>A power loss leaves the synced content of the simulated disk, and any part of the rest.</summary>
public sealed unsafe class SimFsTests : IDisposable
{
    private readonly SimFs _disk = new();
    private readonly SimFs _after = new();
    private readonly Journal _journal;

    public SimFsTests()
    {
        _disk.CreateDirectory("/d");
        _journal = _disk.Record();
    }

    public void Dispose()
    {
        _disk.Dispose();
        _after.Dispose();
    }

    [Fact]
    public void SyncedFileHasNoNameUntilItsDirectoryIsSynced()
    {
        using (var file = _disk.Open("/d/f", FileIntent.CreateNew))
        {
            file.Write(0, "abc"u8);
            file.Sync();
        }

        Assert.Equal(["-", "abc"], Outcomes("/d/f"));
        _disk.SyncDirectory("/d");
        Assert.Equal(["abc"], Outcomes("/d/f"));
    }

    [Fact]
    public void UnsyncedContentAndSizePersistIndependently()
    {
        using var file = _disk.Open("/d/f", FileIntent.CreateNew);
        _disk.SyncDirectory("/d");
        file.Write(0, "abc"u8);
        Assert.Equal(["", "\0\0\0", "abc"], Outcomes("/d/f"));
        file.Write(0, "xyz"u8);
        Assert.Equal(["", "\0\0\0", "abc", "xyz"], Outcomes("/d/f"));
        file.Sync();
        Assert.Equal(["xyz"], Outcomes("/d/f"));
    }

    [Fact]
    public void SectorsPersistIndependently()
    {
        using var file = _disk.Open("/d/f", FileIntent.CreateNew);
        _disk.SyncDirectory("/d");
        file.Write(0, new byte[1024]);
        file.Sync();
        file.Write(511, "ab"u8);
        Assert.Equal(["\0\0", "\0b", "a\0", "ab"], Outcomes("/d/f").Select(text => text.Substring(511, 2)));
    }

    [Fact]
    public void FailedSyncIsNotRepairedByNextSync()
    {
        using var file = _disk.Open("/d/f", FileIntent.CreateNew);
        _disk.SyncDirectory("/d");
        file.Write(0, "abc"u8);
        file.Sync();
        file.Write(0, "xyz"u8);
        _disk.Faults.FailAt(0, SimFault.InputOutput);
        Assert.Throws<IOException>(file.Sync);
        file.Sync();
        Assert.Equal(["abc", "xyz"], Outcomes("/d/f"));
        file.Write(0, "xyz"u8); // the same bytes again, which makes the page dirty
        file.Sync();
        Assert.Equal(["xyz"], Outcomes("/d/f"));
    }

    [Fact]
    public void RenameIsAtomic()
    {
        Put("/d/old", "old");
        Put("/d/new", "new");
        _disk.SyncDirectory("/d");
        _disk.Rename("/d/new", "/d/old");
        Assert.Equal(
            ["old new", "new -"],
            States().Select(state => $"{Text(state, "/d/old")} {Text(state, "/d/new")}").Distinct());
    }

    [Fact]
    public void StoreThroughMappingIsTrackedAndMayTear()
    {
        using var file = _disk.Open("/d/f", FileIntent.CreateNew);
        file.Allocate(4096);
        file.Sync();
        _disk.SyncDirectory("/d");
        using var mapping = file.Map(4096, MappingAccess.Segment);
        mapping.Address[0] = (byte)'a';
        mapping.Address[8] = (byte)'b';
        _disk.Note("now");
        Assert.Equal(["\0\0", "\0b", "a\0", "ab"], Outcomes("/d/f", mixes: true).Select(text => $"{text[0]}{text[8]}")
            .Distinct().Order(StringComparer.Ordinal).Take(4));
        mapping.Sync(0, 16);
        Assert.Equal(["ab"], Outcomes("/d/f", mixes: true).Select(text => $"{text[0]}{text[8]}"));
    }

    [Fact]
    public void LinkKeepsFileAfterFirstNameIsLost()
    {
        Put("/d/a", "x");
        _disk.SyncDirectory("/d");
        _disk.CreateDirectory("/e");
        _disk.SyncDirectory("/");
        Assert.True(_disk.TryLink("/d/a", "/e/b"));
        _disk.SyncDirectory("/e");
        _disk.Delete("/d/a");
        Assert.Equal(["x x", "- x"], States().Select(state => $"{Text(state, "/d/a")} {Text(state, "/e/b")}")
            .OrderDescending(StringComparer.Ordinal));
    }

    [Fact]
    public void DeletionFreesFullDisk()
    {
        _disk.Capacity = 8192;
        Put("/d/a", "x");
        using var file = _disk.Open("/d/b", FileIntent.CreateNew);
        Assert.Throws<StorageFullException>(() => file.Allocate(8192));
        Assert.Equal(0, file.Length);
        _disk.Delete("/d/a");
        file.Allocate(8192);
        Assert.Equal(8192, _disk.Used);
    }

    [Fact]
    public void CopyHasContentsAndLinksAndIsApart()
    {
        Put("/d/a", "abc");
        _disk.CreateDirectory("/e/empty");
        Assert.True(_disk.TryLink("/d/a", "/e/b"));
        using var held = _disk.TryLock("/d/a");
        using var copy = _disk.Copy();
        using (var file = copy.Open("/d/a", FileIntent.ReadWrite)) file.Write(0, "x"u8);
        Assert.Equal("xbc"u8, copy["/e/b"]);
        Assert.Equal("abc"u8, _disk["/d/a"]);
        Assert.Equal(["b", "empty/"], copy.List("/e"));
        Assert.Equal((1, 0), (_disk.LiveClaims, copy.LiveClaims));
    }

    [Fact]
    public void StoresThroughCopiedMappingReachFileWhenReported()
    {
        using var disk = new SimFs { Mappings = SimMappings.Copies, ["/d/f"] = [1, 2, 3] };
        using var file = disk.Open("/d/f", FileIntent.ReadWrite);
        using (var mapping = file.Map(3, MappingAccess.Segment))
        {
            mapping.Address[0] = 7;
            Assert.Equal([1, 2, 3], disk["/d/f"]);
            mapping.Dirtied(0, 1);
            Assert.Equal([7, 2, 3], disk["/d/f"]);
            mapping.Address[2] = 9;
            Assert.Equal(1, disk.LiveMappings);
        }

        Assert.Equal([7, 2, 9], disk["/d/f"]);
        Assert.Equal(0, disk.LiveMappings);
    }

    private void Put(string path, string text)
    {
        using var file = _disk.Open(path, FileIntent.CreateNew);
        file.Write(0, System.Text.Encoding.Latin1.GetBytes(text));
        file.Sync();
    }

    private IEnumerable<string> Outcomes(string path, bool mixes = false) =>
        States(mixes).Select(state => Text(state, path)).Distinct().Order(StringComparer.Ordinal);

    private static string Text(SimFs state, string path)
    {
        if (!state.FileExists(path)) return "-";
        using var file = state.Open(path, FileIntent.Read);
        var bytes = new byte[file.Length];
        file.Read(0, bytes);
        return System.Text.Encoding.Latin1.GetString(bytes);
    }

    private IEnumerable<SimFs> States(bool mixes = false)
    {
        var unsynced = new UnsyncedDisk();
        unsynced.Begin(_disk.IdOf("/d"), isDirectory: true);
        unsynced.BeginName(SimFs.RootId, "d", _disk.IdOf("/d"));
        foreach (var happened in _journal.Events) unsynced.Apply(happened);
        var point = new CrashPoint(unsynced);
        var image = new CrashImage();
        var options = new int[point.Doubts.Count];
        while (true)
        {
            _after.Load(point.Build(options, image));
            yield return _after;
            var i = 0;
            for (; i < options.Length; i++)
            {
                if (++options[i] < (mixes ? point.Doubts[i].Options : point.Doubts[i].Whole)) break;
                options[i] = 0;
            }

            if (i == options.Length) yield break;
        }
    }
}
