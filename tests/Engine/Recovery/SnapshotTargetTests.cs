using System.Security.Cryptography;
using Varve.Background;
using Varve.Format;
using Varve.Inspection;
using Varve.Snapshots;
using Varve.Storage;
using Xunit;

namespace Varve.Tests.Engine.Recovery;

/// <summary>
/// A snapshot appears whole at its target or not at all, and of two builders at once, in any processes, exactly one
/// succeeds.
/// </summary>
public sealed class SnapshotTargetTests : IDisposable
{
    private readonly Database _first = new();
    private readonly Database _second = new();

    public static TheoryData<Place> Places => [.. Enum.GetValues<Place>()];

    public enum Place
    {
        Absent,
        Empty,
        LinkToEmpty,
        LinkToAbsent,
        LongestName,

        /// <summary>Cannot be removed, nor be renamed onto.</summary>
        MountPoint,
    }

    private string Parent => Path.Combine(_first.Root, "snapshots");

    [Theory]
    [MemberData(nameof(Places))]
    public async Task SnapshotAppearsAtTargetAndNothingBesideIt(Place place)
    {
        var target = Prepare(place);
        var storage = StorageFor(place, target);
        using var machine = OpenFilled(_first, storage, 300);
        var checksum = await machine.GenerateSnapshotDataAsync(target, machine.LastApplied);
        AssertIsWhole(target, checksum);
        if (place is Place.LinkToEmpty or Place.LinkToAbsent)
            Assert.True(File.GetAttributes(target).HasFlag(FileAttributes.ReparsePoint));

        // It can be installed from there, whatever the path goes through.
        using var receiver = _second.Open();
        await receiver.ApplySnapshotFromFileAsync(new SnapshotMetadata(machine.LastApplied, checksum), target);
        Assert.Equal(300UL, NumberedLog.AssertIsWhole(receiver));
    }

    /// <summary>The second runs whole between two steps of the first, between every two of them.</summary>
    [Theory]
    [MemberData(nameof(Places))]
    public async Task TwoSnapshotsIntoOneDirectoryMakeExactlyOne(Place place)
    {
        var target = Prepare(place);
        var (storage, other) = (StorageFor(place, target), StorageFor(place, target));
        using var machine = OpenFilled(_first, storage, 200);
        using var rival = OpenFilled(_second, other, 200);
        var inner = storage.Before;
        var step = 0;
        for (; ; step++)
        {
            Prepare(place);
            var taken = 0;
            Exception? failureOfRival = null;
            ReadOnlyMemory<byte> checksumOfRival = default;
            storage.Before = (operation, path) =>
            {
                inner?.Invoke(operation, path);
                if (!IsBeside(path) || taken++ != step) return;
                failureOfRival = Record.Exception(() =>
                {
                    checksumOfRival =
                        rival.GenerateSnapshotDataAsync(target, rival.LastApplied).GetAwaiter().GetResult();
                });
            };
            ReadOnlyMemory<byte> checksum = default;
            var failure = await Record.ExceptionAsync(
                async () => checksum = await machine.GenerateSnapshotDataAsync(target, machine.LastApplied));
            if (step >= taken) break; // it was made without so many steps

            Assert.True(
                (failure is null) != (failureOfRival is null),
                $"step {step}: {failure?.ToString() ?? "made"}; {failureOfRival?.ToString() ?? "made"}");
            var refused = Assert.IsAssignableFrom<IOException>(failure ?? failureOfRival);
            Assert.Matches("another snapshot|not empty", refused.Message);
            AssertIsWhole(target, failure is null ? checksum : checksumOfRival);
        }

        Assert.InRange(step, 5, 1000);
    }

    [Fact]
    public async Task NextBuilderRemovesLeftovers()
    {
        var target = Prepare(Place.Absent);
        var storage = new FaultInjector(Storages.Default)
        {
            Before = (operation, path) =>
            {
                if (operation == "rename" && path == target) throw new OperationCanceledException("killed");
            }
        };
        using var machine = OpenFilled(_first, storage, 300);
        var isGone = false;
        var hook = storage.Before;
        storage.Before = (operation, path) =>
        {
            if (isGone && IsBeside(path)) throw new IOException("gone");
            isGone |= operation == "rename" && path == target;
            hook(operation, path);
        };
        await Assert.ThrowsAnyAsync<Exception>(() => machine.GenerateSnapshotDataAsync(target, machine.LastApplied));
        Assert.Single(Directory.GetFileSystemEntries(Parent));
        storage.Before = null;
        AssertIsWhole(target, await machine.GenerateSnapshotDataAsync(target, machine.LastApplied));
    }

    [Fact]
    public async Task SnapshotFilesAreReadOnly()
    {
        if (OperatingSystem.IsWindows() || !StorageOfTests.IsPosix) return;
        var target = Prepare(Place.Absent);
        using var machine = OpenFilled(_first, Storages.Default, 300);
        await machine.CompactAsync();
        NumberedLog.ApplyUpTo(machine, 350);
        await machine.GenerateSnapshotDataAsync(target, machine.LastApplied);
        Assert.True(Directory.GetFiles(target).Length > 2);
        foreach (var file in Directory.GetFiles(target))
            Assert.Equal(UnixFileMode.UserRead, File.GetUnixFileMode(file));

        // The tables belong to the database too, which continues to use them.
        for (var round = 1; round <= 3; round++)
        {
            NumberedLog.ApplyUpTo(machine, 350 + (ulong)(round * 300));
            await machine.CompactAsync();
        }

        NumberedLog.AssertIsWhole(machine);
    }

    [Fact]
    public async Task PackIsVerifiedAndInstalledThroughSymlink()
    {
        var target = Prepare(Place.Absent);
        using var machine = OpenFilled(_first, Storages.Default, 300);
        var metadata = new SnapshotMetadata(
            machine.LastApplied, await machine.GenerateSnapshotDataAsync(target, machine.LastApplied));
        var (pack, link) = (Path.Combine(Parent, "pack"), Path.Combine(Parent, "link"));
        await using (var stream = File.Create(pack)) await PackWriter.PackAsync(Storages.Default, target, stream);
        File.CreateSymbolicLink(link, "pack");
        Assert.DoesNotContain(
            Verification.Check(Storages.Default, link, deep: true), problem => problem.Severity == Severity.Damage);
        using var receiver = _second.Open();
        await receiver.ApplySnapshotFromFileAsync(metadata, link);
        Assert.Equal(300UL, NumberedLog.AssertIsWhole(receiver));
    }

    [Fact]
    public async Task SnapshotAtIndexZeroHasTermZero()
    {
        using var machine = _first.Open();
        var wrong = new LogId(0, 7);
        await Assert.ThrowsAsync<ArgumentException>(
            () => machine.GenerateSnapshotDataAsync(Path.Combine(Parent, "wrong"), wrong));
        var checksum = await machine.GenerateSnapshotDataAsync(Path.Combine(Parent, "zero"), default);
        Assert.Throws<ArgumentException>(
            () => machine.UpdateLastSnapshotMetadata(new SnapshotMetadata(wrong, checksum)));
        using var receiver = _second.Open();
        await Assert.ThrowsAsync<ArgumentException>(() =>
            receiver.ApplySnapshotFromFileAsync(new SnapshotMetadata(wrong, checksum), Path.Combine(Parent, "zero")));
        await receiver.ApplySnapshotFromFileAsync(
            new SnapshotMetadata(default, checksum), Path.Combine(Parent, "zero"));
        NumberedLog.ApplyUpTo(receiver, 150); // of term 1 first
        NumberedLog.AssertIsWhole(receiver);
    }

    [Fact]
    public void MetadataIsMonotonicAndAtMostApplied()
    {
        var checksum = new byte[SHA256.HashSizeInBytes];
        using (var machine = _first.Open())
        {
            NumberedLog.ApplyUpTo(machine, 100);
            Assert.Throws<ArgumentOutOfRangeException>(
                () => machine.UpdateLastSnapshotMetadata(new SnapshotMetadata(NumberedLog.Id(101), checksum)));
            Assert.Null(machine.SnapshotMetadata);
            machine.UpdateLastSnapshotMetadata(new SnapshotMetadata(NumberedLog.Id(90), checksum));
            machine.UpdateLastSnapshotMetadata(new SnapshotMetadata(NumberedLog.Id(80), checksum));
            Assert.Equal(90UL, machine.SnapshotMetadata!.LastIncluded.Index);
        }

        using var again = _first.Open();
        Assert.Equal(90UL, again.SnapshotMetadata!.LastIncluded.Index);
    }

    /// <summary>
    /// A flush ends before the last applied entry, and after a power loss its state may be all there is.
    /// </summary>
    [Fact]
    public async Task FlushRecordsLastSnapshotWithinItsRange()
    {
        var checksum = new byte[SHA256.HashSizeInBytes];
        using var mayFlush = new ManualResetEventSlim();
        var storage = new FaultInjector(Storages.Default);
        using (var machine = _first.Open(Database.Small, new EngineSeams(storage)))
        {
            storage.Before = (operation, path) =>
            {
                if (operation is "create" or "take over"
                    && path.Contains(FileNames.TableSuffix, StringComparison.Ordinal))
                    mayFlush.Wait();
            };
            NumberedLog.ApplyUpTo(machine, 10);
            machine.UpdateLastSnapshotMetadata(new SnapshotMetadata(NumberedLog.Id(5), checksum));
            var compaction = machine.CompactAsync(); // seals at 10, and waits for its table
            NumberedLog.ApplyUpTo(machine, 20);
            machine.UpdateLastSnapshotMetadata(new SnapshotMetadata(NumberedLog.Id(20), checksum));
            mayFlush.Set();
            await compaction;
            Assert.Equal(20UL, machine.SnapshotMetadata!.LastIncluded.Index);
            storage.Before = null;
        }

        var manifest = ManifestRecords(Assert.Single(_first.Files(FileNames.ManifestSuffix)));
        Assert.Contains(manifest, state => (state.LastIndex, state.Snapshot?.Index) == (10, 5));
        Assert.All(
            manifest, state => Assert.True(state.Snapshot is not { } snapshot || snapshot.Index <= state.LastIndex));
        using var again = _first.Open();
        Assert.Equal(20UL, again.SnapshotMetadata!.LastIncluded.Index);
    }

    [Fact]
    public void HoleAfterEntriesOfTermZeroHasNoTerm()
    {
        using (var machine = _first.Open(Database.Small with { LogGaps = LogGapPolicy.Allow }))
        {
            var results = new ApplyResult[3];
            machine.ApplyChunk([new ApplyEntry(
                1, 0, Command.Noop), new ApplyEntry(2, 0, Command.Noop), new ApplyEntry(10, 0, Command.Noop)], results);
            AssertTerms(machine);
            var refusal = Assert.Throws<ArgumentException>(
                () => { _ = machine.GenerateSnapshotDataAsync(Path.Combine(_first.Root, "hole"), new LogId(9, 0)); });
            Assert.StartsWith(
                "Index 9 has no entry or no known term, not term 0.", refusal.Message, StringComparison.Ordinal);
        }

        using var again = _first.Open();
        AssertTerms(again);

        static void AssertTerms(LsmStateMachine machine) =>
            Assert.Equal([0UL, 0UL, null, null, 0UL], new ulong[] { 1, 2, 3, 9, 10 }.Select(machine.EntryTerm));
    }

    public void Dispose()
    {
        _first.Dispose();
        _second.Dispose();
    }

    private static List<MachineState> ManifestRecords(string path)
    {
        var bytes = File.ReadAllBytes(path);
        Assert.True(ManifestLog.TryDecodeHeader(bytes, out _, out var salt, out _));
        var states = new List<MachineState>();
        for (long at = ManifestLog.HeaderSize;
            ManifestLog.TryReadRecord(bytes, at, salt, out var payload, out var next) == ManifestReadResult.Record;
            at = next)
        {
            Assert.True(VersionEditCodec.TryDecode(payload, out var edit, out _));
            if (edit.State is { } state) states.Add(state);
        }

        return states;
    }

    private static LsmStateMachine OpenFilled(Database database, IStorage storage, ulong last)
    {
        var machine = database.Open(Database.Small, new EngineSeams(storage));
        NumberedLog.ApplyUpTo(machine, last);
        return machine;
    }

    /// <summary>
    /// The snapshot is there and whole, its checksum is the one that was given, and there is nothing else in it or
    /// beside it.
    /// </summary>
    private void AssertIsWhole(string target, ReadOnlyMemory<byte> checksum)
    {
        Assert.Empty(Verification.Check(Storages.Default, target, deep: true));
        Assert.Equal(
            Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(Path.Combine(target, SnapshotNames.Manifest)))),
            Convert.ToHexString(checksum.Span));
        Assert.Single(Directory.GetFileSystemEntries(Parent));
    }

    private bool IsBeside(string path) => path.StartsWith(Parent, StringComparison.Ordinal)
        || path.StartsWith(_first.Root + "/elsewhere", StringComparison.Ordinal);

    private string Prepare(Place place)
    {
        var elsewhere = Path.Combine(_first.Root, "elsewhere");
        foreach (var directory in (string[])[Parent, elsewhere])
            if (Directory.Exists(directory)) Directory.Delete(directory, recursive: true);
        Directory.CreateDirectory(Parent);
        var target = Path.Combine(Parent, place == Place.LongestName ? new string('s', 255) : "snapshot");
        if (place is Place.Empty or Place.MountPoint) Directory.CreateDirectory(target);
        if (place == Place.LinkToEmpty) Directory.CreateDirectory(Path.Combine(elsewhere, "real"));
        if (place == Place.LinkToAbsent) Directory.CreateDirectory(elsewhere);
        if (place is Place.LinkToEmpty or Place.LinkToAbsent)
            Directory.CreateSymbolicLink(target, Path.Combine(elsewhere, "real"));
        return target;
    }

    private static FaultInjector StorageFor(Place place, string target) => new(Storages.Default)
    {
        Before = (operation, path) =>
        {
            if (place == Place.MountPoint && path == target && operation is "rmdir" or "rename")
                throw new IOException($"{path}: busy");
        },
    };
}
