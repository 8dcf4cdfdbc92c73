using Varve.Background;
using Varve.Storage;
using Varve.Tests.Engine.Storage;
using Xunit;

namespace Varve.Tests.Engine.Recovery;

/// <summary>
/// Files belong to the directory, not to an engine object: no writer overwrites a file that a read-only engine, or a
/// view of a closed engine, has mapped. Unshared files are overwritten for speed.
/// </summary>
public sealed class SharedDirectoryTests : IDisposable
{
    private readonly Database _database = new();
    private readonly ManualScheduler _steps = new();
    private readonly FaultInjector _storage;

    public SharedDirectoryTests() => _storage = new FaultInjector(Storages.Default, _database.Root);

    private EngineOptions Options => Database.Small with { UpperRunsMax = 2 };

    private EngineSeams Seams => new(_storage, _steps);

    /// <summary>
    /// Segments that were given a new identity, through a temporary name that a new one is made under.
    /// </summary>
    private int Renewed
    {
        get
        {
            var renames = _storage.Operations.Where(line => line.StartsWith("rename ", StringComparison.Ordinal))
                .Select(line => line.Split(' ')).ToList();
            var from = renames.Select(words => words[1]).ToHashSet();
            return renames.Count(
                words => words[^1].EndsWith(".wal.tmp", StringComparison.Ordinal) && from.Contains(words[^1]));
        }
    }

    private int TakenOver => _storage.Operations.Count(line => line.StartsWith("take over", StringComparison.Ordinal));

    public void Dispose() => _database.Dispose();

    [Fact]
    public void UnsharedFilesAreOverwritten()
    {
        using var machine = _database.Open(Options, Seams);
        ApplyRounds(machine, 12);
        Assert.True((Renewed > 0 && TakenOver > 0) || !StorageOfTests.IsLinux);
    }

    [Fact]
    public void ReadOnlyEngineKeepsItsRevision()
    {
        using var machine = _database.Open(Options, Seams);
        ApplyRounds(machine, 5);
        using var reader = _database.Open(Database.Small with { ReadOnly = true });
        var index = reader.LastApplied.Index;
        for (var round = 0; round < 6; round++)
        {
            if (round == 4) Run(machine.ResetAsync());
            else if (round == 2) Run(machine.CompactAsync());
            ApplyRounds(machine, 4);
            Assert.Equal(index, NumberedLog.AssertIsWholeToRead(reader));
        }

        machine.Dispose();
        Assert.Equal(index, NumberedLog.AssertIsWholeToRead(reader));
    }

    [Fact]
    public void SegmentsAreNotOverwrittenWhileReaderIsOpen()
    {
        using var machine = _database.Open(Options, Seams);
        ApplyRounds(machine, 5);
        var before = Renewed;
        using (_database.Open(Database.Small with { ReadOnly = true }))
        {
            ApplyRounds(machine, 5);
            Assert.Equal(before, Renewed);
        }

        ApplyRounds(machine, 5);
        Assert.True(Renewed > before || !StorageOfTests.IsLinux);
    }

    [Fact]
    public void ReaderOfUnlinkedSegmentPreventsOverwrite()
    {
        LsmStateMachine? reader = null;
        var renewed = -1;
        var hooked = new FaultInjector(_storage);
        using var machine = _database.Open(Options, new EngineSeams(hooked, _steps));
        hooked.Before = (operation, path) =>
        {
            // A used segment, for a new one is made under the temporary name.
            if (reader is not null || operation != "rename" || !path.EndsWith(".wal.tmp", StringComparison.Ordinal)
                || File.Exists(path))
                return;
            renewed = Renewed;
            reader = _database.Open(Database.Small with { ReadOnly = true });
        };
        ApplyRounds(machine, 12);
        Assert.NotNull(reader);
        Assert.Equal(renewed, Renewed);
        NumberedLog.AssertIsWholeToRead(reader);
        reader.Dispose();
    }

    [Fact]
    public void ReaderTakesShareBeforeReadingDirectory()
    {
        using var machine = _database.Open(Options, Seams);
        var operations = new List<string>();
        var hooked = new FaultInjector(Storages.Default) { Before = (operation, _) => operations.Add(operation) };
        using var reader = _database.Open(Database.Small with { ReadOnly = true }, new EngineSeams(hooked));
        Assert.Equal("share", operations[0]);
    }

    [Fact]
    public void ClosedEngineKeepsShareUntilViewsClose()
    {
        if (!StorageOfTests.IsLinux) return;
        var machine = _database.Open(Options, Seams);
        ApplyRounds(machine, 1);
        var view = machine.OpenView();
        machine.Dispose();
        Assert.True(DirectoryClaim.IsShared(Storages.Default, _database.Directory));
        _database.Open().Dispose();
        Assert.True(DirectoryClaim.IsShared(Storages.Default, _database.Directory));
        view.Dispose();
        Assert.False(DirectoryClaim.IsShared(Storages.Default, _database.Directory));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(5)]
    public void ViewOutlivesItsEngineAndSuccessors(int rounds)
    {
        var machine = _database.Open(Options, Seams);
        ApplyRounds(machine, rounds);
        if (rounds > 1) Run(machine.CompactAsync());
        using var view = machine.OpenView();
        var before = Dump(view);
        Assert.NotEmpty(before);
        Assert.True(view.TryGet(Convert.FromHexString(before[0].Split('=')[0]), out var value));
        var copy = value.ToArray();
        machine.Dispose();
        for (var life = 0; life < 2; life++)
        {
            using var next = _database.Open(Options, Seams);
            ApplyRounds(next, 6);
            Run(next.CompactAsync());
            ApplyRounds(next, 6);
            Assert.Equal(before, Dump(view));
            Assert.True(value.SequenceEqual(copy)); // a span that was handed out before
        }

        view.Dispose();
        using var last = _database.Open(Options, Seams);
        var written = (Renewed, TakenOver);
        ApplyRounds(last, 12);
        // Nothing is left of the share.
        Assert.True((Renewed > written.Renewed && TakenOver > written.TakenOver) || !StorageOfTests.IsLinux);
        NumberedLog.AssertIsWhole(last);
    }

    [Fact]
    public void DirectoryWithoutLockFileIsStillLocked()
    {
        if (!StorageOfTests.IsLinux) return;
        using (var machine = _database.Open(Options, Seams))
        {
            NumberedLog.ApplyUpTo(machine, 20);
            File.Delete(_database.PathOf(FileNames.Lock));
            Assert.Throws<AlreadyOpenException>(() => _database.Open().Dispose());
            NumberedLog.ApplyUpTo(machine, 40);
        }

        using var next = _database.Open();
        Assert.Equal(40UL, NumberedLog.AssertIsWhole(next));
    }

    [Fact]
    public async Task DisposeReturnsOnceDirectoryIsFree()
    {
        using var parked = new ManualResetEventSlim();
        using var goOn = new ManualResetEventSlim();
        var hooked = new FaultInjector(Storages.Default);
        var machine = _database.Open(Database.Small, new EngineSeams(hooked, _steps));
        NumberedLog.ApplyUpTo(machine, 20);
        hooked.Before = (operation, _) =>
        {
            if (operation != "sync") return;
            parked.Set();
            goOn.Wait();
        };
        var closing = Task.Run(machine.CloseStorage);
        parked.Wait();
        var disposal = machine.DisposeAsync();
        Assert.False(disposal.IsCompleted);
        hooked.Before = null;
        goOn.Set();
        await disposal;
        _database.Open().Dispose();
        await closing;
        Assert.True(machine.DisposeAsync().IsCompleted);
    }

    [Fact]
    public void ForeignLockIsReportedAsSuch()
    {
        if (!StorageOfTests.IsLinux) return;
        var machine = _database.Open(Options, Seams);
        NumberedLog.ApplyUpTo(machine, 20);
        using (new ForeignLock(_database.PathOf(FileNames.Identity)))
        {
            var failure = Assert.Throws<IOException>(
                () => _database.Open(Database.Small with { ReadOnly = true }).Dispose());
            Assert.Contains(_database.PathOf(FileNames.Identity), failure.Message, StringComparison.Ordinal);

            // If a view cannot take a share, the engine's own lock stays until the view is closed.
            var view = machine.OpenView();
            machine.Dispose();
            Assert.Throws<AlreadyOpenException>(() => _database.Open().Dispose());
            view.Dispose();
            _database.Open().Dispose();
        }
    }

    private static List<string> Dump(ReadView view)
    {
        var entries = new List<string>();
        foreach (var entry in view.ScanPrefix([]))
            entries.Add(Convert.ToHexString(entry.Key) + "=" + Convert.ToHexString(entry.Value));
        return entries;
    }

    private void ApplyRounds(LsmStateMachine machine, int rounds)
    {
        for (var round = 0; round < rounds; round++)
        {
            NumberedLog.ApplyUpTo(machine, machine.LastApplied.Index + 150);
            _steps.Run();
        }
    }

    private void Run(Task task)
    {
        _steps.Run();
        Assert.True(task.IsCompletedSuccessfully);
    }
}
