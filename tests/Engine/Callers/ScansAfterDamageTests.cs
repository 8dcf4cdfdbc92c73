using Varve.Storage;
using Varve.Tests.Engine.Recovery;
using Xunit;

namespace Varve.Tests.Engine.Callers;

/// <summary>A scan that met damage never ends as if it were complete.</summary>
public sealed class ScansAfterDamageTests
{
    private const int Entries = 4000;

    [Theory]
    [InlineData(false, false, TableAccess.Mapped)]
    [InlineData(true, false, TableAccess.Mapped)]
    [InlineData(false, true, TableAccess.Probed)]
    [InlineData(true, true, TableAccess.Probed)]
    public async Task MoveNextThrowsAgainAfterDamage(bool isBackward, bool isPrefix, TableAccess access)
    {
        using var database = new Database();
        var options = Database.Small with { MemtableBytes = 4 << 20, TableBytes = 1 << 20, TableAccess = access };
        using (var engine = database.Open(options))
        {
            var chunk = new ApplyEntry[Entries];
            for (var i = 0; i < Entries; i++)
                chunk[i] = new ApplyEntry((ulong)i + 1, 1, Command.Insert(KeyOf(i), new byte[60]));
            engine.ApplyChunk(chunk, new ApplyResult[Entries]);
            await engine.CompactAsync();
        }

        var table = Assert.Single(database.Files(FileNames.TableSuffix));
        Database.Flip(table, new FileInfo(table).Length / 2);
        using var damaged = database.Open(options);
        using var view = damaged.OpenView();
        var scan = isPrefix ? view.ScanPrefix("key"u8) : view.ScanRange(default, default);
        if (isBackward) scan = scan.Reversed();
        AssertStandsOnNothing(scan);
        var (met, failures) = (0, 0);
        while (failures < 4)
        {
            try
            {
                Assert.True(scan.MoveNext(), "The scan ends as if it were whole.");
                Assert.Equal(0, failures);
                met++;
            }
            catch (CorruptionException e)
            {
                Assert.Equal(table, e.Path);
                failures++;
                AssertStandsOnNothing(scan);
                if (failures == 2) scan.Seek(KeyOf(0)); // a failed scan stays failed
            }
        }

        Assert.InRange(met, 1, Entries - 1);
        Assert.Throws<CorruptionException>(() => damaged.ScanPrefix("key"u8));
    }

    [Fact]
    public void CurrentOutsideEntryThrowsInvalidOperation()
    {
        using var database = new Database();
        using var engine = database.Open();
        engine.ApplyChunk([new ApplyEntry(1, 1, Command.Insert("a"u8.ToArray(), "b"u8.ToArray()))], new ApplyResult[1]);
        using var view = engine.OpenView();
        var scan = view.ScanPrefix(default);
        AssertStandsOnNothing(scan);
        Assert.True(scan.MoveNext());
        Assert.Equal("a"u8.ToArray(), scan.Current.Key.ToArray());
        Assert.False(scan.MoveNext());
        AssertStandsOnNothing(scan);
        Assert.False(scan.MoveNext());
    }

    private static void AssertStandsOnNothing(ScanEnumerator scan)
    {
        try
        {
            _ = scan.Current;
        }
        catch (InvalidOperationException e)
        {
            Assert.Contains("MoveNext", e.Message, StringComparison.Ordinal);
            return;
        }

        Assert.Fail("Current gave an entry.");
    }

    private static byte[] KeyOf(int number) => System.Text.Encoding.ASCII.GetBytes($"key{number:d8}");
}
