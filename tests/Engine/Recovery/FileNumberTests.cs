using Varve.Format;
using Varve.Storage;
using Xunit;

namespace Varve.Tests.Engine.Recovery;

/// <summary>Each file number is given out once, for any names in the directory and any callers.</summary>
public sealed class FileNumberTests : IDisposable
{
    private readonly Database _database = new();

    public void Dispose() => _database.Dispose();

    public static TheoryData<string> Strays
    {
        get
        {
            var data = new TheoryData<string>();
            foreach (var number in (ulong[])[ulong.MaxValue, ulong.MaxValue
                - 1, VersionEdit.FileNumberLimit, VersionEdit.FileNumberLimit - 1, 1UL << 40])
                foreach (var suffix in (string[])[".vtab", ".vman", ".vtab.tmp", ".vman.tmp", ".wal.tmp"])
                    data.Add(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{number:D12}{suffix}"));
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Strays))]
    public async Task StrayFileNameReservesNoNumbers(string name)
    {
        using (var machine = _database.Open()) NumberedLog.ApplyUpTo(machine, 100);
        for (ulong round = 1; round <= 3; round++)
        {
            File.WriteAllBytes(_database.PathOf(name), []);
            using var machine = _database.Open();
            NumberedLog.ApplyUpTo(machine, 100 + (100 * round));
            await machine.CompactAsync();
            Assert.Equal(100 + (100 * round), NumberedLog.AssertIsWhole(machine));
        }

        File.Delete(_database.PathOf(name));
        foreach (var file in Directory.GetFiles(_database.Directory, "0*"))
            Assert.Equal(12, Path.GetFileName(file).IndexOf('.', StringComparison.Ordinal));
    }

    /// <summary>Beside the manifest a file may have been made that it does not name: its number is taken.</summary>
    [Fact]
    public void NumberNearManifestsIsNotReused()
    {
        using (var machine = _database.Open()) NumberedLog.ApplyUpTo(machine, 100);
        File.WriteAllBytes(_database.PathOf(FileNames.Table(5000)), []);
        using (var machine = _database.Open()) NumberedLog.ApplyUpTo(machine, 200);
        Assert.All(_database.Files(FileNames.ManifestSuffix), path => Assert.True(
            ulong.Parse(Path.GetFileName(path)[..12], System.Globalization.CultureInfo.InvariantCulture) > 5000));
    }

    [Fact]
    public void LastNumberIsNotExceeded()
    {
        var numbers = new FileNumbers(VersionEdit.FileNumberLimit - 2);
        Assert.Equal(VersionEdit.FileNumberLimit - 2, numbers.Next());
        Assert.Equal(VersionEdit.FileNumberLimit - 1, numbers.Next());
        for (var i = 0; i < 3; i++) Assert.Contains(
            "no file numbers left", Assert.Throws<IOException>(() => numbers.Next()).Message, StringComparison.Ordinal);
        Assert.Equal(VersionEdit.FileNumberLimit, numbers.Peek);
        numbers.Above(ulong.MaxValue);
        Assert.Equal(VersionEdit.FileNumberLimit, numbers.Peek);
    }

    /// <summary>
    /// One thread finds names while others ask for numbers: a write between read and store would give numbers out
    /// twice.
    /// </summary>
    [Fact]
    public async Task ThreadsNeverGetSameNumber()
    {
        const int Each = 50_000;
        var numbers = new FileNumbers(1);
        var taken = new ulong[2][];
        using var start = new Barrier(3);
        var takers = Enumerable.Range(0, 2).Select(taker => Task.Factory.StartNew(
            () =>
            {
                start.SignalAndWait();
                taken[taker] = [.. Enumerable.Range(0, Each).Select(_ => numbers.Next())];
            },
            TaskCreationOptions.LongRunning)).ToArray();
        start.SignalAndWait();
        for (var i = 0; i < Each; i++) numbers.Above(numbers.Peek);
        await Task.WhenAll(takers);
        Assert.Equal(2 * Each, taken.SelectMany(numbers => numbers).Distinct().Count());
    }
}
